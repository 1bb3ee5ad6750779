// Files of the command line: read whole, and watched for changes. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace sluice {

// A file as far as a change shows: followed through links, so that a swapped link counts.
struct FileStamp {
  std::int64_t modified_ns = 0;
  std::uint64_t inode = 0;
  std::int64_t size = -1;
  bool operator==(const FileStamp&) const = default;
};
// Of no file, and of one that is not there, the same.
[[nodiscard]] FileStamp file_stamp(const std::string& path);

// All of it. Error: internal, "cannot read PATH: why".
[[nodiscard]] Result<std::string> read_file(const std::string& path);

}  // namespace sluice
