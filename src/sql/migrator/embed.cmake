# Writes OUT, a C++ file that holds every file of FOLDER named *.sql as embedded_migration_files().
# Run at build time: cmake -DFOLDER=... -DOUT=... -P embed.cmake
file(GLOB files "${FOLDER}/*.sql")
list(SORT files)
set(code "#include \"sql/migrator/migration.h\"\n\nnamespace deeppool::sql {\nnamespace {\n\nconstexpr MigrationFile kFiles[] = {\n")
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME)
  file(READ "${file}" text)
  string(APPEND code "    {\"${name}\", R\"~sql~(${text})~sql~\"},\n")
endforeach()
string(APPEND code "};\n\n}  // namespace\n\nstd::span<const MigrationFile> embedded_migration_files() { return kFiles; }\n\n}  // namespace deeppool::sql\n")
file(WRITE "${OUT}" "${code}")
