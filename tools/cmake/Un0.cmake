# Finds Debian's LLVM/MLIR 22 and gives every room the same compile and link settings.

# MLIR's own version file accepts only an exact major.minor, so no version is asked for here; it is checked below.
find_package(MLIR CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
if(NOT MLIR_FOUND)
  message(FATAL_ERROR "MLIR 22 was not found; install it with:\n"
    "  apt-get install llvm-22-dev libmlir-22-dev mlir-22-tools llvm-22-tools")
endif()
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "the Un0 compiler needs LLVM/MLIR 22, found ${LLVM_PACKAGE_VERSION} in ${MLIR_DIR}")
endif()
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# One copy of MLIR and LLVM in every process: the shared libraries.
set(MLIR_LINK_MLIR_DYLIB ON)
set(LLVM_LINK_LLVM_DYLIB ON)
set(BUILD_SHARED_LIBS OFF)
if(NOT LLVM_EXTERNAL_LIT)
  # The packaged default names a file that is not shipped.
  find_program(LLVM_EXTERNAL_LIT NAMES lit-22 lit HINTS "${LLVM_TOOLS_BINARY_DIR}" REQUIRED)
endif()

set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(LLVM_RUNTIME_OUTPUT_INTDIR "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
set(LLVM_LIBRARY_OUTPUT_INTDIR "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}")
set(MLIR_BINARY_DIR "${PROJECT_BINARY_DIR}")
set(CMAKE_INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON) # Debian keeps libMLIR in a folder of its own.

add_compile_options(-Wall -Wextra -Wno-unused-parameter)
if(UN0_SANITIZE)
  add_compile_options(-fsanitize=${UN0_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${UN0_SANITIZE})
endif()

# Settings of compiler code, and of nothing in runtime/.
add_library(un0_compiler_settings INTERFACE)
target_include_directories(un0_compiler_settings SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_include_directories(un0_compiler_settings INTERFACE
  "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}" "${PROJECT_SOURCE_DIR}/include")
separate_arguments(UN0_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")
target_compile_definitions(un0_compiler_settings INTERFACE UN0_VERSION="${PROJECT_VERSION}")
# Debian's MLIR is built without assertions. Some of its classes (mlir::Pass::Statistic) have another layout with them, so
# code that uses its headers follows it in every build type.
if(NOT LLVM_ENABLE_ASSERTIONS)
  target_compile_definitions(un0_compiler_settings INTERFACE $<$<NOT:$<CONFIG:Release>>:NDEBUG>)
endif()
target_compile_options(un0_compiler_settings INTERFACE ${UN0_LLVM_DEFINITIONS} -fno-exceptions
  $<$<NOT:$<BOOL:${LLVM_ENABLE_RTTI}>>:-fno-rtti>)

add_library(Un0::compiler ALIAS un0_compiler_settings)
set(UN0_TABLEGEN_INCLUDE_DIR "${PROJECT_SOURCE_DIR}")
include(Un0Plugin)

# One precompiled header for the whole compiler: a pass compiles in a tenth of the time.
add_library(un0_pch OBJECT "${PROJECT_SOURCE_DIR}/lib/Support/Precompiled.cpp")
target_link_libraries(un0_pch PRIVATE un0_compiler_settings)
# Without times inside, the header that ccache gives back fits a checkout made later.
target_compile_options(un0_compiler_settings INTERFACE $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
target_precompile_headers(un0_pch PRIVATE "${PROJECT_SOURCE_DIR}/lib/Support/Precompiled.h")

function(un0_compiler_target name)
  # CMake would compile executables with -fPIE, and the precompiled header is -fPIC.
  get_target_property(type ${name} TYPE)
  if(type STREQUAL "EXECUTABLE")
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIC)
  endif()
  target_link_libraries(${name} PRIVATE un0_compiler_settings)
  target_precompile_headers(${name} REUSE_FROM un0_pch)
endfunction()

# un0_add_library(Name sources... [DEPENDS tablegen targets] [LINK_LIBS PUBLIC/PRIVATE other Un0 libraries])
# A static library of compiler code. The final binary links MLIR and LLVM, shared, once.
function(un0_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  un0_compiler_target(${name})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  if(ARG_LINK_LIBS)
    target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS})
  endif()
  set_property(GLOBAL APPEND PROPERTY UN0_COMPILER_LIBS ${name})
endfunction()

# un0_add_tool(name sources... [LINK_LIBS ...]): a tool that links the compiler; installed.
function(un0_add_tool name)
  cmake_parse_arguments(ARG "NO_INSTALL" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  un0_compiler_target(${name})
  # As the precompiled header was compiled; CMake's own choice for an executable, -fPIE, does not fit it.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} MLIR LLVM)
  # Pass plugins resolve MLIR and un0 symbols from the tool that loads them.
  set_target_properties(${name} PROPERTIES ENABLE_EXPORTS ON)
  if(NOT ARG_NO_INSTALL)
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endfunction()
