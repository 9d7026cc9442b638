/* SPDX-License-Identifier: Apache-2.0 */
/* Which precision a network runs in: what the processor has, and what the model is known to bear.
 */
#include "src/nn/model_file.h"
#include "src/nn/onednn/plan.h"
#include "src/nn/onednn/processor.h"

det_status det_precision_check(det_precision precision, det_error *error)
{
    if (!det_precision_name(precision))
        return det_fail(error, DET_ARGUMENT, "there is no precision %d", (int)precision);
    if (precision != DET_BF16 || det_processor_has_bf16()) return DET_OK;
    return det_fail(error, DET_UNSUPPORTED,
                    "this processor does not compute in bf16: it has %s, and bf16 needs AVX-512 "
                    "with bf16; use f32, int8 or auto",
                    det_processor_features());
}

int det_integer_weight_bits(void)
{
    return det_processor_has_vnni() ? 8 : 7;
}

bool det_precision_is_verified(const det_model *model, det_precision precision)
{
    const int weight_bits = precision == DET_INT8 ? det_integer_weight_bits() : 0;
    for (size_t i = 0; i < model->quantization.agreement_count; i++) {
        const det_agreement *a = &model->quantization.agreements[i];
        if (a->precision == precision && a->weight_bits == weight_bits && a->verified) return true;
    }
    return precision == DET_F32;
}

det_precision det_fastest_precision(const det_model *const *models, size_t count)
{
    static const det_precision fastest[] = {DET_INT8, DET_BF16};
    for (size_t p = 0; p < sizeof fastest / sizeof *fastest; p++) {
        bool good = det_precision_check(fastest[p], NULL) == DET_OK;
        for (size_t i = 0; good && i < count; i++)
            good = det_precision_is_verified(models[i], fastest[p]);
        if (good) return fastest[p];
    }
    return DET_F32;
}

det_status det_check_model_precision(const det_model *model, det_precision precision,
                                     int weight_bits, det_error *error)
{
    if (precision != DET_INT8) return DET_OK;
    if (weight_bits == 8 && !det_processor_has_vnni())
        return det_fail(error, DET_UNSUPPORTED,
                        "weights of 8 bits overflow without VNNI: this processor has %s; use 7",
                        det_processor_features());
    if (model->quantization.layers) return DET_OK;
    return det_fail(error, DET_UNSUPPORTED,
                    "the model has no scales for int8; 'detect model calibrate' finds them");
}
