// CPU time and resident memory of other processes, from /proc. Linux only. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace bench {

struct Usage {
  double cpu_ns = 0;   // user and system, all threads that are alive
  double rss_kib = 0;  // VmRSS
};

// The sum over the processes; one that is gone counts as nothing.
inline Usage usage_of(const std::vector<std::string>& pids) {
  Usage sum;
  for (const auto& pid : pids) {
    const std::string base = "/proc/" + pid;
    std::error_code fault;
    for (const auto& task : std::filesystem::directory_iterator(base + "/task", fault)) {
      double ns = 0;
      std::ifstream(task.path() / "schedstat") >> ns;
      sum.cpu_ns += ns;
    }
    std::ifstream status(base + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) sum.rss_kib += std::stod(line.substr(6));
    }
  }
  return sum;
}

}  // namespace bench
