/* SPDX-License-Identifier: Apache-2.0 */
/* Our selective search and OpenCV's (ximgproc), on the same pictures, in turn, in one run:
 *   bench_proposals [--threads N] [--pictures N] [--ours-only] SET ...
 * A SET is whatever det_annotations_read takes: a COCO file, a VOC folder, a YOLO folder. Of all
 * pictures N are taken, evenly spread.
 *
 * Prints for every method the median time, the boxes a picture, and recall at IoU .5 and MABO (best
 * overlap of each object, averaged over the objects of a class, then over classes) of the first
 * 100, 500 and 1000 boxes and of all; then each mode of both beside the other at equal numbers of
 * boxes, picture by picture. OpenCV gets the picture at the width that ours works on, and its boxes
 * with a side below 20 pixels are left out as well. Pictures on which it fails (long ones) are left
 * out. */
#include "detect/annotations.h"
#include "detect/eval.h"
#include "detect/image.h"
#include "detect/proposals.h"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/ximgproc/segmentation.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace {

const int work_width = 500, min_side = 20;
const std::vector<size_t> budgets = {100, 500, 1000, SIZE_MAX};

struct Picture {
    size_t set, image; /* where in the annotations of the set */
    std::string path;
};

using Sets = std::vector<det_annotations *>;
using Regions = std::vector<det_region>;

double now_ms()
{
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(now).count();
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

void check(det_status status, const det_error &error)
{
    if (status == DET_OK) return;
    char line[2048];
    det_error_format(&error, line, sizeof line);
    std::fprintf(stderr, "bench_proposals: %s\n", line);
    std::exit(1);
}

/* ---- Annotations ----------------------------------------------------------------------------- */

Sets read_sets(const std::vector<std::string> &paths)
{
    Sets sets;
    for (const std::string &path : paths) {
        det_annotations *annotations = nullptr;
        det_error error = {};
        check(det_annotations_read(path.c_str(), nullptr, &annotations, &error), error);
        sets.push_back(annotations);
    }
    return sets;
}

std::vector<Picture> pictures_of(const Sets &sets)
{
    std::vector<Picture> pictures;
    for (size_t s = 0; s < sets.size(); s++)
        for (size_t i = 0; i < sets[s]->image_count; i++) {
            const std::string folder = sets[s]->folder, file = sets[s]->images[i].file;
            const bool whole = folder.empty() || file[0] == '/';
            pictures.push_back({s, i, whole ? file : folder + "/" + file});
        }
    return pictures;
}

/* ---- Methods --------------------------------------------------------------------------------- */

struct Method {
    std::string name;
    std::function<Regions(const det_image &, double &ms)> propose;
    std::vector<double> times;
    std::vector<Regions> boxes; /* of each picture */
};

Method ours(const std::string &name, const char *preset, int threads,
            const std::function<void(det_selective_search_options &)> &change = {})
{
    det_selective_search_options options = {};
    det_error error = {};
    check(det_selective_search_preset(preset, &options, &error), error);
    if (change) change(options);
    options.width_px = work_width;
    options.min_side_px = min_side;
    return {name,
            [options, threads](const det_image &image, double &ms) {
                det_run run = {};
                run.threads = threads;
                det_region *regions = nullptr;
                size_t count = 0;
                det_error failure = {};
                const double start = now_ms();
                check(det_selective_search(&image, &options, &run, &regions, &count, &failure),
                      failure);
                ms = now_ms() - start;
                const Regions boxes(regions, regions + count);
                det_regions_free(regions);
                return boxes;
            },
            {},
            {}};
}

det_region region_of(float x0, float y0, float x1, float y1)
{
    det_region region = {};
    region.box = {x0, y0, x1, y1};
    return region;
}

Regions opencv_boxes(const det_image &image, bool quality, double &ms)
{
    const cv::Mat whole(image.height, image.width, CV_8UC3, image.pixels, image.stride);
    const double scale = static_cast<double>(work_width) / image.width;
    const double start = now_ms();
    cv::Mat work;
    cv::resize(whole, work, cv::Size(work_width, cvRound(image.height * scale)), 0, 0,
               scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    auto search = cv::ximgproc::segmentation::createSelectiveSearchSegmentation();
    search->setBaseImage(work);
    if (quality)
        search->switchToSelectiveSearchQuality();
    else
        search->switchToSelectiveSearchFast();
    std::vector<cv::Rect> rectangles;
    search->process(rectangles);
    ms = now_ms() - start;

    Regions boxes;
    for (const cv::Rect &r : rectangles)
        if (r.width >= min_side && r.height >= min_side)
            boxes.push_back(region_of(static_cast<float>(r.x / scale),
                                      static_cast<float>(r.y / scale),
                                      static_cast<float>((r.x + r.width) / scale),
                                      static_cast<float>((r.y + r.height) / scale)));
    return boxes;
}

Method opencv(const std::string &name, bool quality)
{
    return {
        name,
        [quality](const det_image &image, double &ms) { return opencv_boxes(image, quality, ms); },
        {},
        {}};
}

/* ---- Figures --------------------------------------------------------------------------------- */

struct Figures {
    double recall, mabo;
};

/* The report of the pictures of one set, of which the first limit(p) boxes of picture p count. */
det_recall_report *measure_set(const Sets &sets, size_t set, const std::vector<Picture> &pictures,
                               const Method &method, const std::function<size_t(size_t)> &limit)
{
    det_recall_options options = {};
    options.budgets = budgets.data();
    options.budget_count = budgets.size();
    det_recall *recall = nullptr;
    det_recall_report *report = nullptr;
    det_error error = {};
    check(det_recall_create(sets[set], &options, &recall, &error), error);
    for (size_t p = 0; p < pictures.size(); p++) {
        if (pictures[p].set != set) continue;
        const Regions &boxes = method.boxes[p];
        check(det_recall_add(recall, pictures[p].image, boxes.data(),
                             std::min(limit(p), boxes.size()), &error),
              error);
    }
    check(det_recall_finish(recall, &report, &error), error);
    det_recall_free(recall);
    return report;
}

/* The figures of each budget, over the objects and the classes of all sets. */
std::vector<Figures> measure(const Sets &sets, const std::vector<Picture> &pictures,
                             const Method &method, const std::function<size_t(size_t)> &limit)
{
    std::vector<Figures> sums(budgets.size());
    double objects = 0, classes = 0;
    for (size_t s = 0; s < sets.size(); s++) {
        det_recall_report *report = measure_set(sets, s, pictures, method, limit);
        const auto count = static_cast<double>(report->object_count);
        objects += count;
        for (size_t b = 0; b < budgets.size(); b++)
            if (count > 0) sums[b].recall += report->figures[b].recall[0] * count;
        for (size_t c = 0; c < report->category_count; c++) {
            if (report->category_objects[c] == 0) continue;
            for (size_t b = 0; b < budgets.size(); b++) sums[b].mabo += report->figures[b].abo[c];
            classes++;
        }
        det_recall_report_free(report);
    }
    for (Figures &f : sums) f = {f.recall / objects, f.mabo / classes};
    return sums;
}

double mean_count(const Method &method)
{
    double sum = 0;
    for (const Regions &boxes : method.boxes) sum += static_cast<double>(boxes.size());
    return sum / static_cast<double>(method.boxes.size());
}

void print_method(const Sets &sets, const std::vector<Picture> &pictures, const Method &method)
{
    std::printf("%-28s %8.1f %8.0f", method.name.c_str(), median(method.times), mean_count(method));
    for (const Figures &f : measure(sets, pictures, method, [](size_t) { return SIZE_MAX; }))
        std::printf("   %.3f %.3f", f.recall, f.mabo);
    std::printf("\n");
}

/* Both with as many boxes of each picture as the one that has fewer. */
void print_pair(const Sets &sets, const std::vector<Picture> &pictures, const Method &a,
                const Method &b)
{
    double boxes = 0;
    for (size_t p = 0; p < pictures.size(); p++)
        boxes += static_cast<double>(std::min(a.boxes[p].size(), b.boxes[p].size()));
    boxes /= static_cast<double>(pictures.size());
    std::vector<double> ratios;
    for (size_t p = 0; p < pictures.size(); p++) ratios.push_back(b.times[p] / a.times[p]);
    const auto common = [&](size_t p) { return std::min(a.boxes[p].size(), b.boxes[p].size()); };
    const Figures fa = measure(sets, pictures, a, common).back();
    const Figures fb = measure(sets, pictures, b, common).back();
    std::printf("%s against %s: %.1f times as fast (median of ratios); at %.0f boxes each recall "
                "%.3f and %.3f, MABO %.3f and %.3f\n",
                a.name.c_str(), b.name.c_str(), median(ratios), boxes, fa.recall, fb.recall,
                fa.mabo, fb.mabo);
}

/* ---- The run --------------------------------------------------------------------------------- */

struct Arguments {
    int threads = 2;
    size_t pictures = 100;
    bool ours_only = false;
    std::vector<std::string> sets;
};

Arguments parse(int count, char **values)
{
    Arguments arguments;
    for (int i = 1; i < count; i++) {
        const std::string value = values[i];
        if (value == "--threads" && i + 1 < count)
            arguments.threads = std::atoi(values[++i]);
        else if (value == "--pictures" && i + 1 < count)
            arguments.pictures = std::strtoul(values[++i], nullptr, 10);
        else if (value == "--ours-only")
            arguments.ours_only = true;
        else
            arguments.sets.push_back(value);
    }
    return arguments;
}

std::vector<Picture> choose(const Sets &sets, size_t most)
{
    const std::vector<Picture> all = pictures_of(sets);
    std::vector<Picture> chosen;
    const size_t count = std::min(most, all.size());
    for (size_t i = 0; i < count; i++) chosen.push_back(all[i * all.size() / count]);
    return chosen;
}

/* All methods on one picture; false where one of them fails on it. */
bool run_picture(const Picture &picture, std::vector<Method> &methods)
{
    det_image image = {};
    det_error error = {};
    check(det_image_read(picture.path.c_str(), nullptr, &image, &error), error);
    std::vector<Regions> boxes;
    std::vector<double> times(methods.size());
    try {
        for (size_t m = 0; m < methods.size(); m++)
            boxes.push_back(methods[m].propose(image, times[m]));
    } catch (const cv::Exception &) {
        std::fprintf(stderr, "left out, OpenCV fails on it: %s (%d x %d)\n", picture.path.c_str(),
                     image.width, image.height);
    }
    det_image_free(&image);
    if (boxes.size() < methods.size()) return false;
    for (size_t m = 0; m < methods.size(); m++) {
        methods[m].times.push_back(times[m]);
        methods[m].boxes.push_back(boxes[m]);
    }
    return true;
}

std::vector<Method> list_methods(const Arguments &arguments)
{
    using Options = det_selective_search_options;
    const int threads = arguments.threads;
    std::vector<Method> methods = {ours("ours, fast", "fast", threads),
                                   ours("ours, quality", "quality", threads)};
    if (!arguments.ours_only) {
        methods.push_back(opencv("OpenCV, fast", false));
        methods.push_back(opencv("OpenCV, quality", true));
        return methods;
    }
    methods.push_back(ours("single", "single", threads));
    methods.push_back(ours("fast, the code's texture", "fast", threads,
                           [](Options &o) { o.texture = DET_TEXTURE_CODE; }));
    methods.push_back(ours("quality, the code's texture", "quality", threads,
                           [](Options &o) { o.texture = DET_TEXTURE_CODE; }));
    methods.push_back(ours("fast, superpixel_scale 2", "fast", threads,
                           [](Options &o) { o.superpixel_scale = 2; }));
    methods.push_back(ours("quality, superpixel_scale 2", "quality", threads,
                           [](Options &o) { o.superpixel_scale = 2; }));
    return methods;
}

} // namespace

int main(int count, char **values)
{
    const Arguments arguments = parse(count, values);
    if (arguments.sets.empty()) {
        std::fprintf(stderr, "usage: %s [--threads N] [--pictures N] [--ours-only] SET ...\n",
                     values[0]);
        return 2;
    }
    cv::setNumThreads(arguments.threads);
    std::vector<Method> methods = list_methods(arguments);
    std::vector<Picture> pictures;
    const Sets sets = read_sets(arguments.sets);
    for (const Picture &picture : choose(sets, arguments.pictures))
        if (run_picture(picture, methods)) pictures.push_back(picture);

    std::printf(
        "%zu pictures, %d threads; recall at IoU .5 and MABO at 100, 500, 1000 and all boxes\n"
        "%-28s %8s %8s\n",
        pictures.size(), arguments.threads, "method", "ms", "boxes");
    for (const Method &method : methods) print_method(sets, pictures, method);
    if (!arguments.ours_only) {
        print_pair(sets, pictures, methods[0], methods[2]);
        print_pair(sets, pictures, methods[1], methods[3]);
    }
    for (det_annotations *annotations : sets) det_annotations_free(annotations);
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("peak memory of the process, OpenCV's part included: %ld MB\n",
                usage.ru_maxrss / 1024);
    return 0;
}
