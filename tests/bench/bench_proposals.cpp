/* SPDX-License-Identifier: Apache-2.0 */
/* Our selective search and OpenCV's (ximgproc), on the same pictures, in turn, in one run:
 *   bench_proposals [--threads N] [--pictures N] [--ours-only] SET ...
 * A SET is a COCO file of boxes, whose pictures lie in the folder of the same name without ".json",
 * or a folder with "images" and "labels" (YOLO). Of all of them N are taken, evenly spread.
 *
 * Prints for every method the median time, the boxes a picture, and recall at IoU .5 and MABO (best
 * overlap of each object, averaged over the objects of a class, then over classes) of the first
 * 100, 500 and 1000 boxes and of all; then each mode of both beside the other at equal numbers of
 * boxes, picture by picture. OpenCV gets the picture at the width that ours works on, and its boxes
 * with a side below 20 pixels are left out as well. Pictures on which it fails (long ones) are left
 * out. */
#include "detect/image.h"
#include "detect/proposals.h"

#include <opencv2/core.hpp>
#include <opencv2/core/utils/filesystem.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/ximgproc/segmentation.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace {

const int work_width = 500, min_side = 20;
const std::vector<size_t> budgets = {100, 500, 1000, SIZE_MAX};

struct Object {
    int category;
    det_box box;
};

struct Picture {
    std::string path;
    std::vector<Object> objects; /* relative to the sides where the annotation is (YOLO) */
    bool relative;
};

using Boxes = std::vector<det_box>;

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

std::vector<Picture> read_coco(const std::string &file)
{
    const cv::FileStorage json(file, cv::FileStorage::READ | cv::FileStorage::FORMAT_JSON);
    const std::string folder = file.substr(0, file.size() - std::strlen(".json")) + "/";
    std::map<int, size_t> place;
    std::vector<Picture> pictures;
    for (const cv::FileNode image : json["images"]) {
        place[static_cast<int>(image["id"])] = pictures.size();
        pictures.push_back({folder + static_cast<std::string>(image["file_name"]), {}, false});
    }
    for (const cv::FileNode annotation : json["annotations"]) {
        std::vector<float> b;
        annotation["bbox"] >> b;
        pictures[place.at(static_cast<int>(annotation["image_id"]))].objects.push_back(
            {static_cast<int>(annotation["category_id"]), {b[0], b[1], b[0] + b[2], b[1] + b[3]}});
    }
    return pictures;
}

std::vector<Picture> read_yolo(const std::string &folder)
{
    std::vector<cv::String> labels;
    cv::utils::fs::glob(folder + "/labels", "*.txt", labels);
    std::sort(labels.begin(), labels.end());
    std::vector<Picture> pictures;
    for (const cv::String &label : labels) {
        const size_t start = label.rfind('/') + 1;
        const std::string name = label.substr(start, label.size() - start - std::strlen(".txt"));
        Picture picture = {folder + "/images/" + name + ".jpg", {}, true};
        std::ifstream lines(label);
        int category;
        for (float x, y, w, h; lines >> category >> x >> y >> w >> h;)
            picture.objects.push_back({category, {x - w / 2, y - h / 2, x + w / 2, y + h / 2}});
        pictures.push_back(picture);
    }
    return pictures;
}

/* Objects in pixels; the category of YOLO sets made different from those of COCO files. */
void scale_objects(Picture &picture, const det_image &image)
{
    if (!picture.relative) return;
    for (Object &object : picture.objects) {
        object.category += 1000;
        object.box.x0 *= static_cast<float>(image.width);
        object.box.x1 *= static_cast<float>(image.width);
        object.box.y0 *= static_cast<float>(image.height);
        object.box.y1 *= static_cast<float>(image.height);
    }
}

/* ---- Methods --------------------------------------------------------------------------------- */

struct Method {
    std::string name;
    std::function<Boxes(const det_image &, double &ms)> propose;
    std::vector<double> times;
    std::vector<Boxes> boxes; /* of each picture */
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
                Boxes boxes;
                for (size_t i = 0; i < count; i++) boxes.push_back(regions[i].box);
                det_regions_free(regions);
                return boxes;
            },
            {},
            {}};
}

Boxes opencv_boxes(const det_image &image, bool quality, double &ms)
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

    Boxes boxes;
    for (const cv::Rect &r : rectangles)
        if (r.width >= min_side && r.height >= min_side)
            boxes.push_back({static_cast<float>(r.x / scale), static_cast<float>(r.y / scale),
                             static_cast<float>((r.x + r.width) / scale),
                             static_cast<float>((r.y + r.height) / scale)});
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

/* limit(p): how many of the boxes of picture p count. */
Figures measure(const std::vector<Picture> &pictures, const Method &method,
                const std::function<size_t(size_t)> &limit)
{
    std::map<int, std::pair<double, size_t>> overlaps; /* of a class: sum, number */
    size_t found = 0, objects = 0;
    for (size_t p = 0; p < pictures.size(); p++) {
        const size_t count = std::min(limit(p), method.boxes[p].size());
        for (const Object &object : pictures[p].objects) {
            double best = 0;
            for (size_t i = 0; i < count; i++)
                best = std::max(best, det_box_iou(method.boxes[p][i], object.box));
            overlaps[object.category].first += best;
            overlaps[object.category].second++;
            found += best >= .5;
            objects++;
        }
    }
    double mabo = 0;
    for (const auto &of_class : overlaps)
        mabo += of_class.second.first / static_cast<double>(of_class.second.second);
    return {static_cast<double>(found) / static_cast<double>(objects),
            mabo / static_cast<double>(overlaps.size())};
}

double mean_count(const Method &method)
{
    double sum = 0;
    for (const Boxes &boxes : method.boxes) sum += static_cast<double>(boxes.size());
    return sum / static_cast<double>(method.boxes.size());
}

void print_method(const std::vector<Picture> &pictures, const Method &method)
{
    std::printf("%-28s %8.1f %8.0f", method.name.c_str(), median(method.times), mean_count(method));
    for (const size_t budget : budgets) {
        const Figures f = measure(pictures, method, [budget](size_t) { return budget; });
        std::printf("   %.3f %.3f", f.recall, f.mabo);
    }
    std::printf("\n");
}

/* Both with as many boxes of each picture as the one that has fewer. */
void print_pair(const std::vector<Picture> &pictures, const Method &a, const Method &b)
{
    double boxes = 0;
    for (size_t p = 0; p < pictures.size(); p++)
        boxes += static_cast<double>(std::min(a.boxes[p].size(), b.boxes[p].size()));
    boxes /= static_cast<double>(pictures.size());
    std::vector<double> ratios;
    for (size_t p = 0; p < pictures.size(); p++) ratios.push_back(b.times[p] / a.times[p]);
    const auto common = [&](size_t p) { return std::min(a.boxes[p].size(), b.boxes[p].size()); };
    const Figures fa = measure(pictures, a, common), fb = measure(pictures, b, common);
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

std::vector<Picture> choose(const Arguments &arguments)
{
    std::vector<Picture> all, chosen;
    for (const std::string &set : arguments.sets) {
        const bool coco = set.size() > 5 && set.compare(set.size() - 5, 5, ".json") == 0;
        const std::vector<Picture> of_set = coco ? read_coco(set) : read_yolo(set);
        all.insert(all.end(), of_set.begin(), of_set.end());
    }
    const size_t count = std::min(arguments.pictures, all.size());
    for (size_t i = 0; i < count; i++) chosen.push_back(all[i * all.size() / count]);
    return chosen;
}

/* All methods on one picture; false where one of them fails on it. */
bool run_picture(Picture &picture, std::vector<Method> &methods)
{
    det_image image = {};
    det_error error = {};
    check(det_image_read(picture.path.c_str(), nullptr, &image, &error), error);
    scale_objects(picture, image);
    std::vector<Boxes> boxes;
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
    for (Picture &picture : choose(arguments))
        if (run_picture(picture, methods)) pictures.push_back(picture);

    std::printf(
        "%zu pictures, %d threads; recall at IoU .5 and MABO at 100, 500, 1000 and all boxes\n"
        "%-28s %8s %8s\n",
        pictures.size(), arguments.threads, "method", "ms", "boxes");
    for (const Method &method : methods) print_method(pictures, method);
    if (!arguments.ours_only) {
        print_pair(pictures, methods[0], methods[2]);
        print_pair(pictures, methods[1], methods[3]);
    }
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("peak memory of the process, OpenCV's part included: %ld MB\n",
                usage.ru_maxrss / 1024);
    return 0;
}
