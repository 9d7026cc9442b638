# SPDX-License-Identifier: Apache-2.0
# Finds every library and gathers them in the interface target detect_dependencies.
find_package(Threads REQUIRED)
if(NOT DETECT_PTHREADS)
  find_package(OpenMP REQUIRED COMPONENTS C)
endif()
find_package(PkgConfig REQUIRED)

set(DETECT_PKG_MODULES libjpeg libpng libwebp libwebpdemux json-c libprotobuf-c libxxhash pangocairo)
pkg_check_modules(DETECT_PKG REQUIRED IMPORTED_TARGET ${DETECT_PKG_MODULES})

# Their own CMake packages ask for what a bare Debian lacks (OpenCL for dnnl, all modules for OpenCV).
function(detect_find_library name header folder library)
  find_path(${name}_INCLUDE_DIR ${header} PATH_SUFFIXES ${folder} REQUIRED)
  find_library(${name}_LIBRARY ${library} REQUIRED)
  add_library(${name} UNKNOWN IMPORTED)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${${name}_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${${name}_INCLUDE_DIR})
endfunction()
detect_find_library(detect_dnnl oneapi/dnnl/dnnl.h "" dnnl)
detect_find_library(detect_opencv_core opencv2/core.hpp opencv4 opencv_core)
detect_find_library(detect_opencv_imgproc opencv2/imgproc.hpp opencv4 opencv_imgproc)

find_program(PROTOC_C protoc-c REQUIRED)

add_library(detect_dependencies INTERFACE)
target_link_libraries(detect_dependencies INTERFACE
  PkgConfig::DETECT_PKG detect_dnnl detect_opencv_imgproc detect_opencv_core Threads::Threads m)
if(NOT DETECT_PTHREADS)
  target_link_libraries(detect_dependencies INTERFACE OpenMP::OpenMP_C)
endif()

# Generates caffe.pb-c.h and caffe.pb-c.c from src/nn/caffe.proto and adds them to a target.
function(detect_add_caffe_proto target)
  set(proto ${PROJECT_SOURCE_DIR}/src/nn/caffe.proto)
  set(generated ${PROJECT_BINARY_DIR}/caffe.pb-c.c ${PROJECT_BINARY_DIR}/caffe.pb-c.h)
  add_custom_command(OUTPUT ${generated} DEPENDS ${proto}
    COMMAND ${PROTOC_C} --c_out=${PROJECT_BINARY_DIR} --proto_path=${PROJECT_SOURCE_DIR}/src/nn ${proto}
    COMMENT "Generating caffe.pb-c.c" VERBATIM)
  target_sources(${target} PRIVATE ${generated})
  set_source_files_properties(${generated} PROPERTIES COMPILE_OPTIONS -w)
endfunction()
