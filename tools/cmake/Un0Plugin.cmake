# What a pass plugin is built with, inside this tree and against an installed Un0 alike.
# Wants MLIR found, AddMLIR included, the interface target Un0::compiler (headers and compile settings) and
# UN0_TABLEGEN_INCLUDE_DIR, where `include "dialects/..."` starts.

# un0_tablegen_file(<file.td> <output> <flags>...): one generated file beside the build's copy of the source folder.
macro(un0_tablegen_file td output)
  set(LLVM_TARGET_DEFINITIONS ${td})
  list(TRANSFORM MLIR_INCLUDE_DIRS PREPEND -I OUTPUT_VARIABLE un0_tablegen_includes)
  mlir_tablegen(${output} ${ARGN} -I${UN0_TABLEGEN_INCLUDE_DIR} ${un0_tablegen_includes})
endmacro()

# un0_add_pass_plugin(name sources... [DEPENDS tablegen targets])
# A module `name.so` for --load-pass-plugin. It links neither MLIR nor the compiler: the tool that loads it has both, and
# a second copy would give every op and pass a second identity.
function(un0_add_pass_plugin name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  add_library(${name} MODULE ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES PREFIX "")
  target_link_libraries(${name} PRIVATE Un0::compiler)
  target_include_directories(${name} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}")
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()
