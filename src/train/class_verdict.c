/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/class_verdict.h"

const char *det_class_verdict_name(det_class_verdict verdict)
{
    static const char *const names[] = {"learned", "few_pictures", "not_learned", "unsure"};
    return names[verdict];
}

/* As many pictures again, where there are enough to see that they do not suffice: precision grows
 * with the logarithm of their number rather than with their number. */
det_class_verdict det_judge_class(size_t images, const det_interval *ap50, size_t *wanted)
{
    *wanted = images;
    if (images < DET_CLASS_IMAGES) {
        *wanted = DET_CLASS_IMAGES - images;
        return DET_CLASS_FEW_PICTURES;
    }
    if (ap50->high < DET_CLASS_AP50_GOOD) return DET_CLASS_NOT_LEARNED;
    if (!(ap50->low >= DET_CLASS_AP50_CHANCE)) return DET_CLASS_UNSURE;
    *wanted = 0;
    return DET_CLASS_LEARNED;
}
