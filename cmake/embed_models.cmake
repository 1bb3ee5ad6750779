# The text of src/pricing/models.txt as a constant: cmake -DROWS=FILE -DOUTPUT=FILE.cc -P embed_models.cmake
file(READ ${ROWS} rows)
file(WRITE ${OUTPUT} "#include \"pricing/catalogue.h\"\nconst std::string_view sluice::built_in_models = R\"models(${rows})models\";\n")
