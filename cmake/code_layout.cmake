# lay_out_code(TARGET): after the link of a release, functions and branches are put in the order in which
# tools/profile has seen them run (llvm-bolt): a request runs through many functions once, so that it waits for code more
# than for anything else. Without llvm-bolt, or where it fails, the program is as the linker made it. The profile fits
# x86-64; functions that have changed since are matched by their shape, or left as they are.
function(lay_out_code target)
  find_program(BOLT NAMES llvm-bolt-19 llvm-bolt)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Release" OR SLUICE_SANITIZE OR SLUICE_PROFILE OR NOT BOLT
     OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    return()
  endif()
  set(packed ${CMAKE_SOURCE_DIR}/cmake/release.layout.tar.xz)
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${packed})
  file(ARCHIVE_EXTRACT INPUT ${packed} DESTINATION ${CMAKE_BINARY_DIR}/layout)
  target_link_options(${target} PRIVATE -Wl,--emit-relocs)
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${packed} ${CMAKE_SOURCE_DIR}/cmake/lay_out_code.sh)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND sh ${CMAKE_SOURCE_DIR}/cmake/lay_out_code.sh ${BOLT} $<TARGET_FILE:${target}> ${CMAKE_BINARY_DIR}/layout/layout.yaml
    COMMENT "Laying out the code of ${target}"
    VERBATIM)
endfunction()
