# Warnings everywhere; the OpenSSF hardening set in release builds, each flag probed because compilers differ.
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)

add_compile_options(-Wall -Wextra -Wformat=2 -Wimplicit-fallthrough -Wshadow -Wno-missing-field-initializers
                    -Wno-gnu-statement-expression -Werror=return-type -Werror=format-security -Werror=switch)
# libstdc++ 12's own stable_sort calls its own deprecated get_temporary_buffer, and clang blames the caller.
add_compile_options(-Wno-deprecated-declarations)
add_link_options(-fuse-ld=lld)

find_program(SLUICE_CCACHE ccache)
if(SLUICE_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${SLUICE_CCACHE})
endif()

set(SLUICE_SANITIZE "" CACHE STRING "address;undefined or thread")
if(SLUICE_SANITIZE)
  list(JOIN SLUICE_SANITIZE "," sanitizers)
  add_compile_options(-fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${sanitizers})
endif()
if(SLUICE_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

function(harden_compile flag)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" have)
  check_cxx_compiler_flag("-Werror ${flag}" ${have})
  if(${have})
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX,C>:${flag}>")
  endif()
endfunction()
function(harden_link flag)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" have)
  check_linker_flag(CXX "${flag}" ${have})
  if(${have})
    add_link_options("${flag}")
  endif()
endfunction()

if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  foreach(flag -fstrict-flex-arrays=3 -fstack-clash-protection -fstack-protector-strong -fcf-protection=full
               -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing -ftrivial-auto-var-init=zero)
    harden_compile(${flag})
  endforeach()
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  foreach(flag -Wl,-z,nodlopen -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now -Wl,--as-needed -Wl,--no-copy-dt-needed-entries)
    harden_link(${flag})
  endforeach()
  add_link_options(-pie)

  # What is often run is laid out and inlined for it, by what tools/profile has counted. Functions that have changed since
  # are compiled without, and that is no fault.
  if(SLUICE_PROFILE)
    add_compile_options(-fprofile-generate=${CMAKE_BINARY_DIR}/counts)
    add_link_options(-fprofile-generate=${CMAKE_BINARY_DIR}/counts)
  else()
    # Copied under a name that changes with the content, so that a new profile builds anew.
    set(counted ${CMAKE_CURRENT_LIST_DIR}/release.profdata)
    file(SHA256 ${counted} hash)
    set(profile ${CMAKE_BINARY_DIR}/release-${hash}.profdata)
    configure_file(${counted} ${profile} COPYONLY)
    unset(HAVE_PROFILE CACHE)
    check_cxx_compiler_flag("-fprofile-use=${profile}" HAVE_PROFILE)
    if(HAVE_PROFILE)
      add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fprofile-use=${profile}>" -Wno-backend-plugin
                          -Wno-profile-instr-out-of-date -Wno-profile-instr-unprofiled)
    endif()
  endif()

  # Across the layers, which are libraries, only the link can inline. The cache keeps the link after a small change short.
  set(CMAKE_REQUIRED_LINK_OPTIONS -fuse-ld=lld)
  check_cxx_compiler_flag(-flto=thin HAVE_THIN_LTO)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
  if(HAVE_THIN_LTO)
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX,C>:-flto=thin>")
    add_link_options(-flto=thin -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/lto)
  endif()
endif()
