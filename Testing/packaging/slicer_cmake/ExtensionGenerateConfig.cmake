# Slicer writes ${EXTENSION_NAME}Config.cmake here, for extensions that depend on this one.
