# token_tables(TARGET): adds the tables of tokens and of Unicode's classes to a target as one generated source. Needs
# npm's packages once, see tools/web_packages; afterwards no network.
function(token_tables target)
  find_program(NODE NAMES node nodejs REQUIRED)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/tables/tables.cc)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_SOURCE_DIR}/tools/web_packages
    COMMAND ${NODE} ${CMAKE_SOURCE_DIR}/web/tokens.mjs ${output}
    DEPENDS ${CMAKE_SOURCE_DIR}/web/tokens.mjs ${CMAKE_SOURCE_DIR}/web/package-lock.json
            ${CMAKE_SOURCE_DIR}/tools/web_packages
    COMMENT "Packing the tables of tokens"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
