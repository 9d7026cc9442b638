# SPDX-License-Identifier: Apache-2.0
# Installs headers, both libraries, the program with its manual page and completion, and what CMake and pkg-config need
# to find them. The installed tree may be moved: nothing in it holds its own absolute path.
include(CMakePackageConfigHelpers)

# What the static library needs besides DETECT_PKG_MODULES; the shared one brings it along.
set(DETECT_LIBRARIES dnnl openblas)
set(DETECT_SYSTEM_LIBRARIES pthread m)
if(NOT DETECT_PTHREADS)
  list(PREPEND DETECT_SYSTEM_LIBRARIES gomp)
endif()

# detect.pc lists them as pkg-config wants it.
set(PC_REQUIRES ${DETECT_PKG_MODULES})
list(JOIN PC_REQUIRES " " PC_REQUIRES)
set(PC_LIBS ${DETECT_LIBRARIES} ${DETECT_SYSTEM_LIBRARIES})
list(TRANSFORM PC_LIBS PREPEND -l)
list(JOIN PC_LIBS " " PC_LIBS)
file(RELATIVE_PATH PC_PREFIX /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
configure_file(cmake/detect.pc.in detect.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/detect.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/detect)
configure_package_config_file(cmake/detectConfig.cmake.in detectConfig.cmake INSTALL_DESTINATION ${package_folder}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(detectConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/detectConfig.cmake ${PROJECT_BINARY_DIR}/detectConfigVersion.cmake
        DESTINATION ${package_folder})
install(TARGETS detect_shared detect_static EXPORT detect-targets)
install(EXPORT detect-targets NAMESPACE detect:: DESTINATION ${package_folder})

install(DIRECTORY include/detect TYPE INCLUDE FILES_MATCHING PATTERN "*.h")
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/detect FILES_MATCHING PATTERN "*.json")

file(RELATIVE_PATH bin_to_lib /p/${CMAKE_INSTALL_BINDIR} /p/${CMAKE_INSTALL_LIBDIR})
set_target_properties(detect_cli PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")
install(TARGETS detect_cli)
install(FILES ${PROJECT_BINARY_DIR}/detect.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${PROJECT_BINARY_DIR}/detect.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        RENAME detect)
