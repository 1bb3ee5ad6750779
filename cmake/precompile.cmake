# precompile(TARGET KIND): the standard library read once instead of in every file. KIND is library or test (with googletest).
# The fuzzers' build goes without, which proves that the files of the pure layers name what they use.
set(SLUICE_STANDARD
    <algorithm> <array> <charconv> <chrono> <cstdint> <fstream> <functional> <map> <memory> <optional> <span> <sstream>
    <string> <string_view> <unordered_map> <utility> <variant> <vector>)
set(SLUICE_PRECOMPILED "SHELL:-Xclang -fno-pch-timestamp") # ccache knows it by its content

function(precompile target kind)
  if(SLUICE_FUZZERS)
    return()
  endif()
  if(NOT TARGET precompiled_${kind})
    file(WRITE ${CMAKE_BINARY_DIR}/precompiled_${kind}.cc "")
    add_library(precompiled_${kind} OBJECT ${CMAKE_BINARY_DIR}/precompiled_${kind}.cc)
    target_compile_options(precompiled_${kind} PRIVATE ${SLUICE_PRECOMPILED})
    target_precompile_headers(precompiled_${kind} PRIVATE ${SLUICE_STANDARD})
    if(kind STREQUAL "test")
      target_link_libraries(precompiled_test PRIVATE GTest::gmock)
      target_precompile_headers(precompiled_test PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
      set_target_properties(precompiled_test PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_compile_options(precompiled_test PRIVATE ${SLUICE_UNOPTIMISED} -fPIE) # as test files are, part of programs
    endif()
  endif()
  target_compile_options(${target} PRIVATE ${SLUICE_PRECOMPILED})
  target_precompile_headers(${target} REUSE_FROM precompiled_${kind})
endfunction()
