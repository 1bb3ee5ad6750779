// SPDX-License-Identifier: MIT
#include "files.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

namespace sluice {

FileStamp file_stamp(const std::string& path) {
  struct stat s{};
  if (path.empty() || ::stat(path.c_str(), &s) != 0) return {};
  return {s.st_mtim.tv_sec * 1'000'000'000 + s.st_mtim.tv_nsec, s.st_ino, s.st_size};
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  constexpr int end = std::ifstream::traits_type::eof();
  if (file.peek() == end && file.eof() && !file.bad())
    return std::string();  // to copy nothing is a failure to a stream
  if (!file || !(text << file.rdbuf()))
    return fail(Fault::internal, "cannot read " + path + ": " + std::strerror(errno));
  return std::move(text).str();
}

}  // namespace sluice
