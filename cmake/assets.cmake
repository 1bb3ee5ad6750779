# web_assets(TARGET): adds the pages of web/ to a target as one generated source. Needs npm's packages once, see
# tools/web_packages; afterwards no network.
function(web_assets target)
  find_program(NODE NAMES node nodejs REQUIRED)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/docs/*)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/assets/assets.cc)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_SOURCE_DIR}/tools/web_packages
    COMMAND ${NODE} ${CMAKE_SOURCE_DIR}/web/build.mjs ${output} ${PROJECT_VERSION}
    DEPENDS ${sources} ${CMAKE_SOURCE_DIR}/web/build.mjs ${CMAKE_SOURCE_DIR}/web/package-lock.json
            ${CMAKE_SOURCE_DIR}/tools/web_packages
    COMMENT "Packing the pages of web/"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
