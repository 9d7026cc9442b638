/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that sees OpenCV, whose C headers refuse a C compiler.
 *
 * OpenCV runs a loop on its own thread pool when the loop has more than one stripe, and only a
 * process-wide setting forbids that. cvtColor makes a stripe of every 2^16 pixels, rounded, so
 * strips of at most 2^16 stay on the calling thread (a strip is at least a row, and a single row is
 * never divided). GaussianBlur of floats is a filter engine, which has no parallel loop. */
#include "src/image/opencv.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <new>

extern "C" {
#include "src/base/error.h"
}

namespace {

constexpr int pixels_of_a_strip = 1 << 16;
constexpr double sigma_max = 1000; /* the kernel is 8 sigma wide */

template <typename Work> det_status guarded(det_error *error, const char *doing, Work work) noexcept
{
    try {
        work();
        return DET_OK;
    } catch (const std::bad_alloc &) {
        return det_fail_memory(error, doing);
    } catch (const cv::Exception &exception) {
        if (exception.code == cv::Error::StsNoMem) return det_fail_memory(error, doing);
        return det_fail(error, DET_INTERNAL, "OpenCV failed at %s: %s", doing, exception.what());
    } catch (const std::exception &exception) {
        return det_fail(error, DET_INTERNAL, "OpenCV failed at %s: %s", doing, exception.what());
    } catch (...) {
        return det_fail(error, DET_INTERNAL, "OpenCV failed at %s", doing);
    }
}

/* Rows of a picture and where they go. */
struct bgr_rows {
    const uint8_t *in;
    size_t in_stride;
    uint8_t *out;
    size_t out_stride;
    int width, rows;
};

det_status convert(const bgr_rows &p, int code, const char *doing, det_error *error)
{
    const size_t row_bytes = 3 * static_cast<size_t>(p.width);
    if (p.width < 1 || p.rows < 1 || p.in_stride < row_bytes || p.out_stride < row_bytes)
        return det_fail(error, DET_ARGUMENT, "%s: %d x %d pixels in rows of %zu and %zu bytes",
                        doing, p.width, p.rows, p.in_stride, p.out_stride);
    const int strip = std::max(1, pixels_of_a_strip / p.width);
    return guarded(error, doing, [=] {
        for (int y = 0; y < p.rows; y += strip) {
            const int count = std::min(strip, p.rows - y);
            const size_t at = static_cast<size_t>(y);
            const cv::Mat from(count, p.width, CV_8UC3,
                               const_cast<uint8_t *>(p.in) + at * p.in_stride, p.in_stride);
            cv::Mat to(count, p.width, CV_8UC3, p.out + at * p.out_stride, p.out_stride);
            cv::cvtColor(from, to, code);
        }
    });
}

} // namespace

det_status det_cv_bgr_to_hsv(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                             int width, int rows, det_error *error)
{
    return convert({in, in_stride, out, out_stride, width, rows}, cv::COLOR_BGR2HSV_FULL,
                   "converting to HSV", error);
}

det_status det_cv_bgr_to_lab(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                             int width, int rows, det_error *error)
{
    return convert({in, in_stride, out, out_stride, width, rows}, cv::COLOR_BGR2Lab,
                   "converting to Lab", error);
}

det_status det_cv_gaussian_blur(const float *in, float *out, int width, int height, int channels,
                                double sigma_px, det_error *error)
{
    const char *doing = "blurring a picture";
    if (width < 1 || height < 1 || channels < 1 || channels > 4)
        return det_fail(error, DET_ARGUMENT, "%s: %d x %d pixels of %d channels", doing, width,
                        height, channels);
    if (!(sigma_px > 0 && sigma_px <= sigma_max))
        return det_fail(error, DET_ARGUMENT, "%s: sigma %g is not in (0, %g]", doing, sigma_px,
                        sigma_max);
    return guarded(error, doing, [=] {
        const cv::Mat from(height, width, CV_32FC(channels), const_cast<float *>(in));
        cv::Mat to(height, width, CV_32FC(channels), out);
        cv::GaussianBlur(from, to, cv::Size(0, 0), sigma_px, sigma_px, cv::BORDER_REFLECT_101);
    });
}
