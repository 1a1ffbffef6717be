include(CTest)

if(NOT EXTENSION_NAME)
  set(EXTENSION_NAME ${PROJECT_NAME})
endif()
foreach(required EXTENSION_HOMEPAGE EXTENSION_CONTRIBUTORS EXTENSION_DESCRIPTION EXTENSION_ICONURL
    EXTENSION_SCREENSHOTURLS EXTENSION_DEPENDS)
  if("${${required}}" STREQUAL "")
    message(FATAL_ERROR "${required} is not set")
  endif()
endforeach()

# Copies scripts and resources into the build tree, keeping their paths, and installs that tree.
macro(ctkMacroCompilePythonScript)
  cmake_parse_arguments(MY "NO_INSTALL_SUBDIR;GLOBAL_TARGET" "TARGET_NAME;DESTINATION_DIR;INSTALL_DIR;SOURCE_DIR"
    "SCRIPTS;RESOURCES" ${ARGN})
  foreach(required TARGET_NAME SCRIPTS DESTINATION_DIR INSTALL_DIR)
    if("${MY_${required}}" STREQUAL "")
      message(FATAL_ERROR "ctkMacroCompilePythonScript: ${required} is mandatory")
    endif()
  endforeach()
  if(MY_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "ctkMacroCompilePythonScript: unknown arguments ${MY_UNPARSED_ARGUMENTS}")
  endif()
  set(copied)
  foreach(file ${MY_SCRIPTS} ${MY_RESOURCES})
    if(IS_ABSOLUTE ${file})
      message(FATAL_ERROR "ctkMacroCompilePythonScript: ${file} must be relative to the source folder")
    endif()
    add_custom_command(
      OUTPUT ${MY_DESTINATION_DIR}/${file}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file}
      COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${MY_DESTINATION_DIR}/${file}
      )
    list(APPEND copied ${MY_DESTINATION_DIR}/${file})
  endforeach()
  add_custom_target(Copy${MY_TARGET_NAME}PythonFiles ALL DEPENDS ${copied})
  set(installed ${MY_DESTINATION_DIR})
  if(MY_NO_INSTALL_SUBDIR)
    set(installed ${MY_DESTINATION_DIR}/)
  endif()
  install(DIRECTORY ${installed} DESTINATION ${MY_INSTALL_DIR} COMPONENT RuntimeLibraries USE_SOURCE_PERMISSIONS)
endmacro()

macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY_SLICER "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MY_SLICER_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule: unknown arguments ${MY_SLICER_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT DEFINED MY_SLICER_NAME)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule: NAME is mandatory")
  endif()
  foreach(file ${MY_SLICER_SCRIPTS} ${MY_SLICER_RESOURCES})
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file} AND NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file}.py)
      message(FATAL_ERROR "slicerMacroBuildScriptedModule: ${file} does not exist")
    endif()
  endforeach()
  ctkMacroCompilePythonScript(
    TARGET_NAME ${MY_SLICER_NAME}
    SCRIPTS "${MY_SLICER_SCRIPTS}"
    RESOURCES "${MY_SLICER_RESOURCES}"
    DESTINATION_DIR ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}
    INSTALL_DIR ${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}
    NO_INSTALL_SUBDIR
    )
endmacro()

macro(slicer_add_python_unittest)
  cmake_parse_arguments(MY "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS" ${ARGN})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${MY_SCRIPT})
    message(FATAL_ERROR "slicer_add_python_unittest: ${MY_SCRIPT} does not exist")
  endif()
  get_filename_component(test_name ${MY_SCRIPT} NAME_WE)
  # There is no Slicer to run it: the name of the test is all that is kept.
  add_test(NAME py_${MY_TESTNAME_PREFIX}${test_name} COMMAND ${CMAKE_COMMAND} -E false)
endmacro()
