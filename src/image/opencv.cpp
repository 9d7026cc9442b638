/* SPDX-License-Identifier: Apache-2.0 */
#include "src/image/opencv.h"

extern "C" {
#include "src/base/error.h"
}

#include <opencv2/imgproc.hpp>

#include <new>

namespace {

template <typename Work> det_status guarded(det_error *error, const char *doing, Work work)
{
    try {
        work();
        return DET_OK;
    } catch (const cv::Exception &exception) {
        if (exception.code == cv::Error::StsNoMem) return det_fail_memory(error, doing);
        return det_fail(error, DET_INTERNAL, "OpenCV failed at %s: %s", doing, exception.what());
    } catch (const std::bad_alloc &) {
        return det_fail_memory(error, doing);
    } catch (const std::exception &exception) {
        return det_fail(error, DET_INTERNAL, "OpenCV failed at %s: %s", doing, exception.what());
    } catch (...) {
        return det_fail(error, DET_INTERNAL, "OpenCV failed at %s", doing);
    }
}

det_status convert(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride, int width,
                   int rows, int code, const char *doing, det_error *error)
{
    return guarded(error, doing, [&] {
        const cv::Mat from(rows, width, CV_8UC3, const_cast<uint8_t *>(in), in_stride);
        cv::Mat to(rows, width, CV_8UC3, out, out_stride);
        cv::cvtColor(from, to, code);
    });
}

} // namespace

det_status det_cv_resize(const det_image *image, int width, int height, det_image *out,
                         det_error *error)
{
    const det_status status = det_image_create(width, height, out, error);
    if (status < 0) return status;
    const det_status resized = guarded(error, "resizing a picture", [&] {
        const cv::Mat from(image->height, image->width, CV_8UC3, image->pixels, image->stride);
        cv::Mat to(height, width, CV_8UC3, out->pixels, out->stride);
        const bool shrinks = width < image->width || height < image->height;
        cv::resize(from, to, to.size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
    });
    if (resized < 0) det_image_free(out);
    return resized;
}

det_status det_cv_bgr_to_hsv(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                             int width, int rows, det_error *error)
{
    return convert(in, in_stride, out, out_stride, width, rows, cv::COLOR_BGR2HSV_FULL,
                   "converting to HSV", error);
}

det_status det_cv_bgr_to_lab(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride,
                             int width, int rows, det_error *error)
{
    return convert(in, in_stride, out, out_stride, width, rows, cv::COLOR_BGR2Lab,
                   "converting to Lab", error);
}

det_status det_cv_gaussian_blur(const float *in, float *out, int width, int height, int channels,
                                double sigma_px, det_error *error)
{
    return guarded(error, "blurring a picture", [&] {
        const cv::Mat from(height, width, CV_32FC(channels), const_cast<float *>(in));
        cv::Mat to(height, width, CV_32FC(channels), out);
        cv::GaussianBlur(from, to, cv::Size(0, 0), sigma_px, sigma_px, cv::BORDER_REFLECT_101);
    });
}
