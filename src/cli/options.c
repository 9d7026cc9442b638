/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands and options. To add an option: a field in cli_values, an entry here. */
#include "src/cli/options.h"

#include "src/cli/commands.h"

#include <stdint.h>
#include <string.h>

#define PICTURES "IMAGE|FOLDER|@LIST|- ..."

const char *const cli_operands_text =
    "IMAGE is a JPEG, PNG or WebP file, recognised by its content. FOLDER stands for the pictures "
    "in it, in the order of their names. @LIST stands for the files named in the text file LIST, "
    "one a line; @- takes the names from standard input. - is the bytes of one picture on standard "
    "input. A picture that cannot be read is reported and recorded with its error, and the others "
    "are still done.";

const char *const cli_exit_text = "0: done. 1: something failed. 2: wrong usage. 130: interrupted.";

const cli_command cli_commands[CLI_COMMAND_COUNT] = {
    [CLI_DETECT] =
        {.name = "",
         .operands = PICTURES,
         .summary = "Find objects in pictures",
         .description =
             "Proposes regions in each picture, classifies every region with a network, and "
             "suppresses boxes that overlap a better one. Class, score and box of each object go "
             "to standard output as JSON; boxes are pixels of the upright picture.",
         .examples =
             {{"detect --model googlenet.safetensors photo.jpg", "Objects of one photograph."},
              {"detect -m googlenet.safetensors --classes banana,orange --draw out photos/",
               "Only two classes, in a folder of photographs, also drawn into the folder out."},
              {"detect --config det.json --format coco -a val.json -o found.json val/",
               "Results in COCO's format, picture ids taken from val.json."},
              {"detect -m m.safetensors --set postprocess.nms.iou=0.4 --timings photo.jpg",
               "Any key of the configuration can be set; times are recorded."},
              {"find . -name '*.jpg' | detect -m m.safetensors --format jsonl @-",
               "One line of JSON a picture, as soon as it is done."}},
         .operands_min = 1,
         .operands_max = SIZE_MAX,
         .reads_pictures = true,
         .run = cli_run_detect},
    [CLI_PROPOSE] =
        {.name = "propose",
         .operands = PICTURES,
         .summary = "Propose regions where objects may be",
         .description = "Writes the regions that selective search, or another method, proposes in "
                        "each picture, best first. No model is needed, but for multibox. With "
                        "--annotations, it "
                        "measures instead how well the first 10, 100, 1000 and all regions of "
                        "each picture cover the objects: recall at an IoU of .5, .7 and .9, "
                        "average recall (AR), and the best overlap of an object, averaged over a "
                        "class (ABO) and over classes (MABO).",
         .examples = {{"detect propose photo.jpg", "All regions of one photograph as JSON."},
                      {"detect propose --draw out --top 20 photo.jpg",
                       "Also draws the best 20 into out/photo.jpg."},
                      {"detect propose --set proposals.selective_search.superpixel_scale=2 "
                       "--format jsonl photos/",
                       "Fewer regions, from larger superpixels."},
                      {"detect propose --method uniform --set proposals.max=2000 photos/",
                       "2000 random boxes a picture, to compare with."},
                      {"detect propose --segments out photo.jpg",
                       "Shows in out/photo.png which superpixels the regions are made of."},
                      {"detect propose --annotations val.json",
                       "How many of the objects are found, beside random boxes."}},
         .operands_min = 1,
         .operands_max = SIZE_MAX,
         .reads_pictures = true,
         .run = cli_run_propose},
    [CLI_CLASSIFY] =
        {.name = "classify",
         .operands = PICTURES,
         .summary = "Name what pictures show as a whole",
         .description =
             "Classifies 1, 10 or 144 crops of each picture, averages the probabilities over the "
             "crops and the models, and writes the best classes. With --annotations it measures "
             "how often the true class is not the best one, and not among the best five. With "
             "--features it writes what a layer of the network says of the crops, or of regions, "
             "for other programs to learn from.",
         .examples =
             {{"detect classify --model googlenet.safetensors --format text photo.jpg",
               "The five best classes of a photograph, as a table."},
              {"detect classify -m googlenet.safetensors --crops 144 photos/",
               "More exact and 144 times as slow: the crops of the GoogLeNet paper, as JSON."},
              {"detect classify -m a.safetensors -m b.safetensors --top 1 --format csv photos/",
               "Two models, the best class alone, a line a picture."},
              {"detect classify -m m.safetensors --crops 10 -a val.txt val/",
               "Top-1 and top-5 error; val.txt has lines such as: val/1.jpg banana"},
              {"detect classify -m googlenet.safetensors --features pool5/7x7_s1 -o f.safetensors "
               "photos/",
               "1024 features of each picture, in one file."}},
         .operands_min = 1,
         .operands_max = SIZE_MAX,
         .reads_pictures = true,
         .run = cli_run_classify},
    [CLI_EVAL] =
        {.name = "eval",
         .operands = "",
         .summary = "Measure detections against annotations, as COCO, VOC or ILSVRC do",
         .description =
             "Reads annotations (COCO, VOC, YOLO) and results (COCO JSON, the JSON of detect, "
             "VOC's "
             "comp4 files) and prints average precision and recall, over all classes and for each, "
             "exactly as the official evaluations compute them. Classes are matched by name where "
             "the results have names. Detections on unknown pictures or of unknown classes are "
             "left out, counted and named on standard error. With --config or --model, a detector "
             "runs over the annotated pictures first.",
         .examples = {{"detect eval --annotations val.json --results found.json",
                       "COCO's twelve figures and a table of classes."},
                      {"detect eval -c det.json -a val.json --images val/ -R found.jsonl",
                       "Runs a detector and measures it; interrupted, the same command goes on."},
                      {"detect eval -a VOC2007 --split test -R results/ --metric voc07",
                       "The 11-point average precision of VOC2007, from comp4 files."},
                      {"detect eval -a val.json -R found.json --errors --bootstrap 1000",
                       "Also what each kind of error costs, and how far the mean would move with "
                       "other pictures."},
                      {"detect eval -a val.json -R new.json --compare old.json --json figures.json",
                       "Also whether new.json is better than old.json; all figures as JSON."},
                      {"detect eval -a val.json -R found.json --images val/ --report report",
                       "Also a page to look at, report/index.html, with the worst mistakes."},
                      {"detect eval -a val.json -R found.json --class-map airplane=aeroplane",
                       "The results call a class otherwise."}},
         .operands_min = 0,
         .operands_max = 0,
         .run = cli_run_eval},
    [CLI_CONVERT] =
        {.name = "convert",
         .operands = "",
         .summary = "Write annotations or results in another format",
         .description =
             "Reads annotations (COCO, VOC, YOLO) and writes them in another of these formats; or, "
             "with --results, reads results (COCO, the JSON of detect, VOC's comp4 files) and "
             "writes those. The numbers stay as they are where the format allows, and whatever it "
             "cannot hold is counted on standard error. Pictures are neither copied nor changed: "
             "VOC and YOLO folders get links to them. What exists is not replaced.",
         .examples = {{"detect convert --annotations train.json --to yolo --output set",
                       "COCO to YOLO: set/config.yaml, set/labels/train/ and set/images/train/."},
                      {"detect convert -a val.json --to yolo --part val -o set",
                       "Adds another part to the same folder."},
                      {"detect convert -a VOC2007 --split test --to coco -o test.json",
                       "VOC to COCO; difficult objects are marked, and read as such again."},
                      {"detect convert -a set/config.yaml --split val --to voc --round -o voc",
                       "YOLO to VOC, with corners rounded to whole pixels."},
                      {"detect convert -a val.json --images photos/ --to voc -o voc",
                       "The pictures lie elsewhere."},
                      {"detect convert -a val.json --results found.json --to voc -o results",
                       "Results to VOC's comp4 files, a file a class."},
                      {"detect convert -a VOC2007 -R results/ --to coco -o found.json",
                       "And to COCO's, numbered as VOC2007 is by --to coco."}},
         .operands_min = 0,
         .operands_max = 0,
         .run = cli_run_convert},
    [CLI_TRAIN] =
        {.name = "train",
         .operands = "ANNOTATIONS",
         .summary = "Make a detector of your own boxes, and measure how good it is",
         .description =
             "Learns the classes of annotated pictures (a folder of COCO's, VOC's or YOLO's kind, "
             "or "
             "a COCO JSON file) and writes a model file that detect runs. The network --model "
             "stays as "
             "it is: what is learned are linear functions of what it says of regions, so that some "
             "dozens of pictures and minutes suffice. What is computed of each picture is kept in "
             "a "
             "folder, and a second run computes only what has changed. Every picture is also given "
             "to a detector that did not see it: average precision (AP) and its interval tell what "
             "to expect of new pictures.",
         .examples =
             {{"detect train -m googlenet.safetensors fruit/train.json -o fruit.safetensors",
               "A detector of the fruit in train.json."},
              {"detect train -m googlenet.safetensors --set classifier.regions=pool "
               "fruit/train.json -o fruit.safetensors",
               "Several times as fast, and somewhat less exact."},
              {"detect train -m googlenet.safetensors fruit/train.json -o fruit.safetensors "
               "--report report",
               "Also a page to look at, report/index.html, with the most doubtful labels."},
              {"detect train --config train.json",
               "Everything stands in a file: 'detect help keys' lists train.annotations and its "
               "like."}},
         .operands_min = 0,
         .operands_max = 1,
         .run = cli_run_train},
    [CLI_MODEL_IMPORT] =
        {.name = "model import",
         .operands = "WEIGHTS",
         .summary = "Make a model file from a Caffe network",
         .description =
             "Reads a .caffemodel (the newer and the older layer format) and writes a model file: "
             "graph, weights, class names and how pictures are fed, in one .safetensors file.",
         .examples = {{"detect model import bvlc_googlenet.caffemodel --labels synset_words.txt "
                       "-o googlenet.safetensors",
                       "Caffe's GoogLeNet, with the names of its 1000 classes."},
                      {"detect model import net.caffemodel --width 227 --height 227 --mean "
                       "103.9,116.8,123.7 -o net.safetensors",
                       "Another input size and mean; classes are numbered."}},
         .operands_min = 1,
         .operands_max = 1,
         .run = cli_run_model_import},
    [CLI_MODEL_INFO] =
        {.name = "model info",
         .operands = "FILE",
         .summary = "Show the layers, size, classes and preprocessing of a model file",
         .description = "Prints a table for people; --json gives the same as JSON. A "
                        "multiply-accumulate (MAC) is one multiplication and one addition.",
         .examples = {{"detect model info googlenet.safetensors", "The table."},
                      {"detect model info --json - googlenet.safetensors", "JSON instead."}},
         .operands_min = 1,
         .operands_max = 1,
         .run = cli_run_model_info},
    [CLI_MODEL_VERIFY] =
        {.name = "model verify",
         .operands = "FILE",
         .summary = "Check a model file completely",
         .description = "Checks structure, shapes, the digest of the weights, and every weight. "
                        "Says ok, or what is wrong and where.",
         .examples = {{"detect model verify googlenet.safetensors", "Is the download complete?"}},
         .operands_min = 1,
         .operands_max = 1,
         .run = cli_run_model_verify},
    [CLI_MODEL_CALIBRATE] =
        {.name = "model calibrate",
         .operands = "FILE",
         .summary = "Find what a model needs to run in 8-bit integers, and measure what that costs",
         .description =
             "Looks at regions of your pictures as a detector would, finds the ranges of the "
             "network's values and from these the scales of int8, keeps layers that lose too much "
             "in higher precision, and measures on other regions how often bf16 and int8 name the "
             "same class as f32. All of it is written into a copy of the model; precisions that "
             "agree well are what --set classifier.precision=auto chooses from.",
         .examples = {{"detect model calibrate googlenet.safetensors --images photos/ -o "
                       "googlenet-int8.safetensors",
                       "Pictures like those that the model will meet; some dozens are enough."}},
         .operands_min = 1,
         .operands_max = 1,
         .run = cli_run_model_calibrate},
    [CLI_BENCH_NETWORK] =
        {.name = "bench network",
         .operands = "",
         .summary = "Measure how fast a network runs on this machine",
         .description = "Runs a model on random pictures, after a warm-up, and prints the median "
                        "and the least time. With --regions it runs on regions of a picture "
                        "instead, cropped and pooled (classifier.regions) by turns.",
         .examples = {{"detect bench network --model googlenet.safetensors --batch 8 --threads 2",
                       "Milliseconds a crop, in batches of 8 on two threads."},
                      {"detect bench network -m googlenet.safetensors --regions 1000",
                       "Regions a second of a picture of 500 x 375 pixels, cropped and pooled."},
                      {"detect bench network -m googlenet.safetensors --batch 8 --layers",
                       "Also what convolutions, pooling and the rest take of it."},
                      {"detect bench network -m googlenet.safetensors --json -",
                       "JSON instead of the table."}},
         .operands_min = 0,
         .operands_max = 0,
         .run = cli_run_bench_network},
    [CLI_BENCH_PROPOSALS] =
        {.name = "bench proposals",
         .operands = PICTURES,
         .summary = "Measure how fast selective search is on this machine, and how good",
         .description =
             "Proposes regions with each preset (single, fast, quality) and superpixels of the "
             "usual and of twice the size, and prints the median time of a picture, the mean "
             "number of boxes, and with --annotations recall at IoU .5 and MABO of all boxes.",
         .examples = {{"detect bench proposals photos/", "On a folder of photographs."},
                      {"detect bench proposals --annotations val.json --pictures 16 --threads 2",
                       "On 16 of the annotated pictures, evenly spread."}},
         .operands_min = 1,
         .operands_max = SIZE_MAX,
         .reads_pictures = true,
         .run = cli_run_bench_proposals},
    [CLI_BENCH_EVAL] =
        {.name = "bench eval",
         .operands = "",
         .summary = "Measure how fast detections are evaluated on this machine",
         .description =
             "Writes a set of COCO's size (5,000 pictures, 36,000 objects with outlines, 80 "
             "classes, 500,000 detections) into a temporary folder, reads it, computes COCO's "
             "figures, and prints the median and the least time of each step.",
         .examples = {{"detect bench eval --threads 2", "On two processors."}},
         .operands_min = 0,
         .operands_max = 0,
         .run = cli_run_bench_eval},
};

#define IN(id) (1u << (id))
#define ON_PICTURES (IN(CLI_DETECT) | IN(CLI_PROPOSE) | IN(CLI_CLASSIFY))
#define ON_INPUTS (ON_PICTURES | IN(CLI_BENCH_PROPOSALS))
#define ON_TRUTH (IN(CLI_PROPOSE) | IN(CLI_BENCH_PROPOSALS))
#define ON_EVAL (IN(CLI_EVAL) | IN(CLI_BENCH_EVAL))
#define ON_FIGURES                                                                                 \
    (IN(CLI_MODEL_INFO) | IN(CLI_BENCH_NETWORK) | IN(CLI_CLASSIFY) | ON_TRUTH | ON_EVAL)
#define ON_ALL (IN(CLI_COMMAND_COUNT) - 1)
#define AT(field) offsetof(cli_values, field)

/* Versions of clang-format disagree on braces in a macro. */
/* clang-format off */
#define FLAG(name, letter, commands, field, help)                                                  \
    {                                                                                              \
        name, letter, NULL, CLI_FLAG, CLI_COMPLETES_NOTHING, NULL, 0, commands, AT(field), help    \
    }
#define TEXT(name, letter, argument, completes, commands, field, help)                             \
    {                                                                                              \
        name, letter, argument, CLI_TEXT, CLI_COMPLETES_##completes, NULL, 0, commands, AT(field), \
            help                                                                                   \
    }
#define TEXTS(name, letter, argument, completes, commands, field, help)                            \
    {                                                                                              \
        name, letter, argument, CLI_TEXTS, CLI_COMPLETES_##completes, NULL, 0, commands,           \
            AT(field), help                                                                        \
    }
#define CHOICE(name, letter, argument, choices, commands, field, help)                             \
    {                                                                                              \
        name, letter, argument, CLI_TEXT, CLI_COMPLETES_CHOICES, choices, 0, commands, AT(field),  \
            help                                                                                   \
    }
#define CHOICES(name, letter, argument, choices, commands, field, help)                            \
    {                                                                                              \
        name, letter, argument, CLI_TEXTS, CLI_COMPLETES_CHOICES, choices, 0, commands, AT(field), \
            help                                                                                   \
    }
#define INTEGER(name, letter, argument, minimum, commands, field, help)                            \
    {                                                                                              \
        name, letter, argument, CLI_INTEGER, CLI_COMPLETES_NOTHING, NULL, minimum, commands,       \
            AT(field), help                                                                        \
    }
/* clang-format on */

const cli_option cli_options[] = {
    TEXT("config", 'c', "FILE", FILES, ON_INPUTS | IN(CLI_TRAIN), config,
         "Take the settings from a JSON file (configs/det.schema.json describes it). The options "
         "below win over it."),
    TEXT("config", 'c', "FILE", FILES, IN(CLI_EVAL), config,
         "Run the detector of this JSON file (configs/det.schema.json describes it) over the "
         "annotated pictures, keep its results in --results, and measure these. The options below "
         "win over it."),
    TEXTS("model", 'm', "FILE", FILES, IN(CLI_DETECT), models,
          "Classify with this model file; short for classifier.models. Repeated, the models vote."),
    TEXTS("model", 'm', "FILE", FILES, IN(CLI_EVAL), models,
          "The same with this model file; short for classifier.models. Repeated, the models vote."),
    TEXTS("model", 'm', "FILE", FILES, IN(CLI_CLASSIFY), models,
          "Classify with this model file; short for classifier.models. Repeated, the models are "
          "averaged."),
    TEXTS("model", 'm', "FILE", FILES, IN(CLI_TRAIN), models,
          "The network to begin with; short for classifier.models."),
    TEXTS("model", 'm', "FILE", FILES, IN(CLI_BENCH_NETWORK), models, "The model file to run."),
    TEXTS("model", 'm', "FILE", FILES, IN(CLI_PROPOSE), models,
          "The model that proposes, of --method multibox; short for classifier.models."),
    TEXTS("set", 's', "KEY=VALUE", KEYS, ON_INPUTS | IN(CLI_EVAL) | IN(CLI_TRAIN), settings,
          "Set one key of the configuration, such as postprocess.nms.iou=0.3; 'detect help keys' "
          "lists them. May be repeated; wins over all else."),
    CHOICE("method", 'M', "NAME", "selective_search|multibox|uniform|sliding", IN(CLI_PROPOSE),
           method,
           "What proposes: selective_search (the default), multibox (a network that was trained "
           "to, --model), or a control that does not look at the picture and shows what chance "
           "would find, uniform (random boxes) or sliding (a grid of windows); short for "
           "proposals.methods, which also takes several."),
    CHOICE("crops", 'k', "N", "1|10|144", IN(CLI_CLASSIFY), crops,
           "Crops of a picture: 1, the centre (the default); 10, corners, centre and their mirror "
           "images; or 144, at four sizes, as the GoogLeNet paper."),
    INTEGER("shorter-side", 0, "PIXELS", 1, IN(CLI_CLASSIFY), shorter_side,
            "Resize the picture to this shorter side before 1 or 10 crops are cut; default 256 "
            "for a network of 224 pixels, others in proportion."),
    TEXT("features", 'F', "LAYER", NOTHING, IN(CLI_CLASSIFY), features,
         "Write what this layer of the one model says of each crop ('detect model info' lists the "
         "layers) to a safetensors file, --output, in place of labels."),
    TEXT("regions", 'R', "FILE", FILES, IN(CLI_CLASSIFY), regions,
         "With --features: of these regions in place of whole pictures. FILE is the JSON document "
         "of 'detect propose', or annotations (COCO, VOC, YOLO), whose objects are the regions."),
    TEXT("classes", 'C', "A,B,...", NOTHING, IN(CLI_DETECT), classes,
         "Keep only these classes, named as the model names them."),
    TEXT("output", 'o', "FILE", FILES, IN(CLI_DETECT), output,
         "Write to FILE in place of standard output; for voc and yolo a folder."),
    TEXT("output", 'o', "FILE", FILES, IN(CLI_PROPOSE) | IN(CLI_CLASSIFY), output,
         "Write to FILE in place of standard output."),
    TEXT("output", 'o', "FILE", FILES,
         IN(CLI_MODEL_IMPORT) | IN(CLI_MODEL_CALIBRATE) | IN(CLI_TRAIN), output,
         "The model file to write."),
    CHOICE("format", 'f', "FORMAT", "json|jsonl|coco|voc|yolo|csv", IN(CLI_DETECT), format,
           "json (one document, the default), jsonl (a line a picture), coco (results array), voc "
           "(a comp4 file a class), yolo (a file a picture), or csv."),
    CHOICE("format", 'f', "FORMAT", "json|jsonl|csv", IN(CLI_PROPOSE), format,
           "json (one document, the default), jsonl (a line a picture), or csv."),
    CHOICE("format", 'f', "FORMAT", "json|jsonl|csv|text", IN(CLI_CLASSIFY), format,
           "json (one document, the default), jsonl (a line a picture), csv, or text (for "
           "people)."),
    TEXT("annotations", 'a', "FILE", FILES, IN(CLI_CLASSIFY), annotations,
         "What the pictures show: lines of a picture and its class (a name, a WordNet id or an "
         "index from 0). Prints the top-1 and top-5 error; the labels themselves are then written "
         "only with --output."),
    TEXT("annotations", 'a', "FILE", FILES, IN(CLI_DETECT), annotations,
         "COCO annotations that give the picture ids for --format coco, by file name."),
    TEXT("annotations", 'a', "PATH", FILES, IN(CLI_PROPOSE), truth,
         "Measure the regions against these annotations: a COCO file, a VOC folder, a YOLO folder "
         "or .yaml file. Without operands their pictures are run. The regions themselves are then "
         "written only with --output."),
    TEXT("annotations", 'a', "PATH", FILES, IN(CLI_BENCH_PROPOSALS), truth,
         "Also measure how many objects are found: a COCO file, a VOC folder, a YOLO folder or "
         ".yaml file. Without operands its pictures are run."),
    TEXT("annotations", 'a', "PATH", FILES, IN(CLI_CONVERT), truth,
         "The annotations to convert, or those that the results belong to: a COCO file, a VOC "
         "folder, a YOLO folder or .yaml file."),
    TEXT("results", 'R', "PATH", FILES, IN(CLI_CONVERT), results,
         "Convert these results in place of the annotations: COCO results, the JSON of detect (a "
         "document, or lines in a .jsonl file), or a folder of VOC's comp4 files. The annotations "
         "say which picture and class each number and name means."),
    CHOICE("to", 'f', "FORMAT", "coco|voc|yolo|json|jsonl", IN(CLI_CONVERT), to,
           "Annotations: coco (a file), voc or yolo (a folder). Results: coco, json or jsonl (a "
           "file, as detect writes it), or voc (a folder of comp4 files)."),
    TEXT("output", 'o', "PATH", FILES, IN(CLI_CONVERT), output,
         "The file or folder to write; without it, a file goes to standard output."),
    TEXT("part", 0, "NAME", NOTHING, IN(CLI_CONVERT), part,
         "What the pictures are in the data set that is written: the list in VOC's ImageSets/Main, "
         "or train, val or test of YOLO; by default that of --split, else train. Other parts that "
         "are there stay."),
    FLAG("round", 0, IN(CLI_CONVERT), whole_pixels,
         "To voc: round the corners of boxes to whole pixels, for programs that refuse fractions."),
    FLAG("overwrite", 0, IN(CLI_CONVERT), overwrite,
         "Replace files of the same names. Pictures, and what is converted, are never replaced."),
    TEXT("annotations", 'a', "PATH", FILES, IN(CLI_EVAL), truth,
         "What the pictures show: a COCO file, a VOC folder, a YOLO folder or .yaml file."),
    TEXT("results", 'R', "PATH", FILES, IN(CLI_EVAL), results,
         "What was found: COCO results, the JSON of detect (a document, or lines in a .jsonl "
         "file), or a folder of VOC's comp4 files. With a detector: the .jsonl file where its "
         "results are kept, by default eval-results.jsonl; an interrupted run goes on there."),
    FLAG("restart", 0, IN(CLI_EVAL), restart,
         "With a detector: run all pictures again, also those whose results are kept."),
    CHOICE("metric", 'M', "NAME", "coco|voc07|voc10|ilsvrc", IN(CLI_EVAL), metric,
           "coco (the default): 101 recalls, IoU .5 to .95. voc07: 11 recalls, IoU .5. voc10: the "
           "area, IoU .5. ilsvrc: the area, with a lower IoU for small objects."),
    TEXT("compare", 'C', "PATH", FILES, IN(CLI_EVAL), other_results,
         "Other results against the same annotations: prints the difference of the means and its "
         "95 % interval, over the same samples of pictures."),
    INTEGER("bootstrap", 'b', "N", 1, IN(CLI_EVAL), bootstrap,
            "Print the 95 % interval of the mean over N samples of the pictures; with --compare "
            "the default is 1000."),
    TEXTS("class-map", 0, "FROM=TO", NOTHING, IN(CLI_EVAL) | IN(CLI_CONVERT), class_map,
          "The results mean class TO of the annotations by FROM, a name or a number. May be "
          "repeated."),
    TEXT("iou", 0, "A,B,...", NOTHING, IN(CLI_EVAL), ious,
         "Other IoU thresholds than the metric's own, ascending."),
    TEXT("max-detections", 0, "A,B,...", NOTHING, IN(CLI_EVAL), max_detections,
         "coco: so many detections of a picture and class count; AP is of the last; default "
         "1,10,100."),
    FLAG("corrected", 0, IN(CLI_EVAL), corrected,
         "coco: an object with the id 0 can be found, objects that share an id count each as "
         "itself, and one marked \"ignore\" does not count, all unlike in pycocotools."),
    FLAG("errors", 0, IN(CLI_EVAL), errors,
         "Also print what is wrong: how many errors there are of each of TIDE's six kinds, and the "
         "AP that each kind costs. --json always has them, and more."),
    TEXT("left-out", 0, "FILE", FILES, IN(CLI_EVAL), left_out,
         "ilsvrc: objects and detections of these pictures and classes do not count: lines of a "
         "picture (its file name or id) and a class (the blacklist of the development kit)."),
    TEXT("report", 0, "FOLDER", FOLDERS, IN(CLI_EVAL) | IN(CLI_TRAIN), report,
         "Also write FOLDER/index.html, a page that needs no other file. eval: where and why the "
         "detections are wrong: the cost of each kind of mistake, the worst ones as pictures, "
         "curves, scores, and which classes are confused; FOLDER/curves/ has the curves as SVG. "
         "train: how good the detector is, and the most doubtful labels as pictures."),
    INTEGER("mistakes", 0, "N", 0, IN(CLI_EVAL), mistakes,
            "Mistakes that --report shows; default 24, 0: none."),
    TEXT("cache", 0, "FOLDER", FOLDERS, IN(CLI_TRAIN), cache,
         "Where proposals and features are kept for the next run; default: --output with .cache "
         "behind it. It can be deleted at any time."),
    FLAG(
        "resume", 0, IN(CLI_TRAIN), resume,
        "Go on with the training of --output (or --cache) that was interrupted, with its settings: "
        "nothing else has to be said again."),
    FLAG(
        "add-class", 0, IN(CLI_TRAIN), add_class,
        "Add the classes of ANNOTATIONS that --model, a detector of 'detect train', does not have. "
        "What it has stays as it is, number for number; annotated objects of its classes count as "
        "examples of what the new ones are not."),
    TEXT("log", 0, "FILE", FILES, IN(CLI_TRAIN), log,
         "Add a JSON line to FILE with every event: stages, losses, figures; default: log.jsonl in "
         "the folder of --cache."),
    INTEGER("folds", 0, "N", 2, IN(CLI_TRAIN), folds,
            "Parts of the cross-validation; default 5. At most one a picture."),
    TEXT("images", 'I', "FOLDER", FOLDERS, IN(CLI_TRAIN), images,
         "Where the pictures are, if not where they usually are (COCO, VOC)."),
    TEXT("split", 0, "NAME", NOTHING, IN(CLI_TRAIN), split,
         "Only this part of the pictures: a file of VOC's ImageSets/Main, train, val or test of "
         "YOLO, or of several COCO files in a folder the one with NAME in its name."),
    TEXT("images", 'I', "FOLDER", FOLDERS, ON_TRUTH | IN(CLI_EVAL) | IN(CLI_CONVERT), images,
         "Where the pictures of --annotations are, if not where they usually are (COCO, VOC)."),
    TEXT("split", 0, "NAME", NOTHING, ON_TRUTH | IN(CLI_EVAL) | IN(CLI_CONVERT), split,
         "Only this part of --annotations: a file of VOC's ImageSets/Main, train, val or test of "
         "YOLO, or of several COCO files in a folder the one with NAME in its name."),
    FLAG("without-difficult", 0, ON_TRUTH, without_difficult,
         "Leave out the objects that VOC marks as difficult; they count by default."),
    CHOICES("compare", 'C', "NAME", "selective_search|multibox|uniform|sliding", IN(CLI_PROPOSE),
            compare,
            "Also measure this method, which proposes as many boxes of each picture; default "
            "uniform, the chance level. May be repeated."),
    TEXT("plots", 'P', "FOLDER", FOLDERS, IN(CLI_PROPOSE), plots,
         "Also draw the measured curves into FOLDER, as SVG and PNG: recall-iou (recall against "
         "IoU), recall-boxes (recall against the number of boxes), both beside the first compared "
         "method, dashed, and average-recall (of all methods)."),
    TEXT("draw", 'd', "FOLDER", FOLDERS, IN(CLI_DETECT), draw,
         "Also draw what was found: a picture of the same name in FOLDER, JPEG for a JPEG, else "
         "PNG."),
    TEXT("draw", 'd', "FOLDER", FOLDERS, IN(CLI_PROPOSE), draw,
         "Also draw the best regions: a picture of the same name in FOLDER, JPEG for a JPEG, else "
         "PNG."),
    TEXT("segments", 'S', "FOLDER", FOLDERS, IN(CLI_PROPOSE), segments,
         "Also draw the segments (superpixels) that selective search begins with: a PNG picture of "
         "the same name in FOLDER, each segment in its mean colour. They are those of the first "
         "color_spaces and the first k of proposals.selective_search, whose superpixel_scale, "
         "min_size, sigma and width act on them; --verbose tells how many there are."),
    INTEGER("top", 'n', "N", 1, IN(CLI_PROPOSE), top, "Regions that --draw draws; default 50."),
    INTEGER("top", 'n', "N", 1, IN(CLI_CLASSIFY), top, "Classes of a picture; default 5."),
    TEXTS("images", 'i', "IMAGE|FOLDER|@LIST", FILES, IN(CLI_MODEL_CALIBRATE), calibration,
          "The pictures to calibrate with. May be repeated."),
    INTEGER("regions", 'n', "N", 2, IN(CLI_MODEL_CALIBRATE), sample,
            "Regions to look at, of all pictures together; default 3000."),
    INTEGER("regions", 0, "N", 1, IN(CLI_BENCH_NETWORK), sample,
            "Measure N random regions of a picture of 500 x 375 pixels, cropped and pooled."),
    FLAG("recursive", 'r', ON_INPUTS | IN(CLI_MODEL_CALIBRATE), recursive,
         "Also look in the folders below FOLDER."),
    INTEGER("threads", 't', "N", 0,
            ON_INPUTS | IN(CLI_MODEL_CALIBRATE) | IN(CLI_BENCH_NETWORK) | ON_EVAL | IN(CLI_TRAIN),
            threads, "Processors to use; 0, the default, means all."),
    FLAG("timings", 'T', ON_PICTURES, timings,
         "Record how long each stage took. Without it, equal runs give equal bytes."),
    FLAG("quiet", 'q', IN(CLI_DETECT) | ON_TRUTH, quiet,
         "No progress bar, and no advice about boxes that were left out."),
    FLAG("quiet", 'q', IN(CLI_CONVERT), quiet,
         "No progress bar, and no word about what is lost, left out or strange."),
    FLAG("quiet", 'q', IN(CLI_EVAL) | IN(CLI_TRAIN), quiet,
         "No progress bar, and no word about what was left out or is strange."),
    FLAG("quiet", 'q', IN(CLI_CLASSIFY) | IN(CLI_MODEL_CALIBRATE), quiet, "No progress bar."),
    FLAG("verbose", 'v', IN(CLI_PROPOSE), verbose, "Say on standard error what was done."),
    FLAG("verbose", 'v', IN(CLI_DETECT) | IN(CLI_CLASSIFY), verbose,
         "Say on standard error what was done, and how each layer of the network is computed."),
    FLAG("verbose", 'v', IN(CLI_BENCH_NETWORK), verbose,
         "Say on standard error how each layer is computed."),
    TEXT("labels", 'l', "FILE", FILES, IN(CLI_MODEL_IMPORT), labels,
         "Class names, one a line in the order of the network's outputs, with or without a WordNet "
         "id in front (\"n01440764 tench\")."),
    INTEGER("width", 0, "PIXELS", 1, IN(CLI_MODEL_IMPORT), width,
            "Width of the network's input where the file does not say; default 224."),
    INTEGER("height", 0, "PIXELS", 1, IN(CLI_MODEL_IMPORT), height,
            "Height of the network's input where the file does not say; default 224."),
    TEXT("mean", 0, "B,G,R", NOTHING, IN(CLI_MODEL_IMPORT), mean,
         "Subtracted from the pixels, blue first; default 104,117,123."),
    FLAG("provenance", 0, IN(CLI_MODEL_INFO), provenance,
         "Show only where the model came from, as JSON."),
    CHOICE("precision", 'p', "NAME", "f32|bf16|int8|auto", IN(CLI_BENCH_NETWORK), precision,
           "Number format of the computation; default f32."),
    INTEGER("batch", 'b', "N", 1, IN(CLI_BENCH_NETWORK), batch,
            "Pictures that run together; default 1."),
    FLAG("winograd", 'w', IN(CLI_BENCH_NETWORK), winograd,
         "Allow Winograd convolutions (f32), and show how much their results differ from those of "
         "direct convolutions, and the time of these."),
    FLAG("layers", 'L', IN(CLI_BENCH_NETWORK), layers,
         "Also show which kinds of layers take how much of the time."),
    INTEGER("repeats", 'n', "N", 1, IN(CLI_BENCH_NETWORK), repeats,
            "Runs measured; default 20, with --regions 5."),
    INTEGER("repeats", 'n', "N", 1, IN(CLI_BENCH_EVAL), repeats, "Runs measured; default 5."),
    INTEGER("pictures", 'n', "N", 1, IN(CLI_BENCH_PROPOSALS), pictures,
            "Run only so many of the pictures, evenly spread."),
    TEXT("json", 'j', "FILE", FILES, ON_FIGURES, json,
         "Write the figures to FILE as JSON; - is standard output, in place of the table."),
    FLAG("help", 'h', ON_ALL, help, "Show this help."),
    FLAG("version", 'V', IN(CLI_DETECT), version, "Show the version."),
    CHOICE("print-completion", 0, "SHELL", "bash", IN(CLI_DETECT), print_completion,
           "Print a script that completes commands and options in that shell; for bash: source "
           "<(detect --print-completion bash)."),
    FLAG("print-man", 0, IN(CLI_DETECT), print_man, "Print the manual page."),
};

const size_t cli_option_count = sizeof cli_options / sizeof *cli_options;

bool cli_command_has(const cli_command *command, const cli_option *option)
{
    return (option->commands >> (command - cli_commands)) & 1;
}

const cli_option *cli_find_option(const cli_command *command, const char *name, size_t length)
{
    for (size_t i = 0; i < cli_option_count; i++) {
        const cli_option *option = &cli_options[i];
        if (command && !cli_command_has(command, option)) continue;
        if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
            return option;
    }
    return NULL;
}

/** How many of `words` the command's name consists of; 0 where they differ. */
static size_t match_words(const char *name, const cli_list *words)
{
    size_t used = 0;
    while (*name) {
        const size_t length = strcspn(name, " ");
        if (used == words->count || strlen(words->items[used]) != length ||
            memcmp(words->items[used], name, length) != 0)
            return 0;
        used++;
        name += length + (name[length] == ' ');
    }
    return used;
}

const cli_command *cli_find_command(const cli_list *words, size_t *used)
{
    *used = 0;
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        *used = match_words(cli_commands[i].name, words);
        if (*used > 0) return &cli_commands[i];
    }
    const bool group = words->count > 0 && cli_is_group(words->items[0]);
    return group ? NULL : &cli_commands[CLI_DETECT];
}

bool cli_is_group(const char *word)
{
    const size_t length = strlen(word);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        const char *name = cli_commands[i].name;
        if (length > 0 && strncmp(name, word, length) == 0 && name[length] == ' ') return true;
    }
    return false;
}
