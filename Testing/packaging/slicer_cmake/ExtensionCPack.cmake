# Slicer makes the package here, with these two files.
foreach(required EXTENSION_README_FILE EXTENSION_LICENSE_FILE)
  if(NOT EXISTS ${${required}})
    message(FATAL_ERROR "${required} points to a file that does not exist: ${${required}}")
  endif()
endforeach()
