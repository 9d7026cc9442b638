/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H

/** Everything of the library at once. */
#include "detect/annotations.h"
#include "detect/calibrate.h"
#include "detect/check.h"
#include "detect/classify.h"
#include "detect/convert.h"
#include "detect/data.h"
#include "detect/detector.h"
#include "detect/draw.h"
#include "detect/eval.h"
#include "detect/features.h"
#include "detect/image.h"
#include "detect/json.h"
#include "detect/model.h"
#include "detect/network.h"
#include "detect/proposals.h"
#include "detect/region_sets.h"
#include "detect/report.h"
#include "detect/results.h"
#include "detect/status.h"
#include "detect/train.h"
#include "detect/version.h"

#endif
