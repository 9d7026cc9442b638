# SPDX-License-Identifier: Apache-2.0
# Finds every library and gathers them in the interface target detect_dependencies.
find_package(Threads REQUIRED)
if(NOT DETECT_PTHREADS)
  find_package(OpenMP REQUIRED COMPONENTS C)
endif()
find_package(PkgConfig REQUIRED)

set(DETECT_PKG_MODULES libjpeg libpng libwebp libwebpdemux json-c expat libprotobuf-c libxxhash pangocairo)
pkg_check_modules(DETECT_PKG REQUIRED IMPORTED_TARGET ${DETECT_PKG_MODULES})

# Its own CMake package asks for what a bare Debian lacks (OpenCL).
find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.h REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
add_library(detect_dnnl UNKNOWN IMPORTED)
set_target_properties(detect_dnnl PROPERTIES IMPORTED_LOCATION ${DNNL_LIBRARY}
                      INTERFACE_INCLUDE_DIRECTORIES ${DNNL_INCLUDE_DIR})

# Not among the modules of detect.pc: for static linking its own .pc asks for a libgfortran.so that its package does not
# bring.
pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)

find_program(PROTOC_C protoc-c REQUIRED)

add_library(detect_dependencies INTERFACE)
target_link_libraries(detect_dependencies INTERFACE
  PkgConfig::DETECT_PKG PkgConfig::OPENBLAS detect_dnnl Threads::Threads m)
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
