// `sluice serve`: from a configuration file to a running gateway, until a signal ends it. SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace sluice {

// `path` empty = no file: what the environment offers. The process's exit code: 0 after SIGTERM or SIGINT, 1 for a
// configuration with faults, 2 when it cannot start.
[[nodiscard]] int serve_command(const std::string& path);

}  // namespace sluice
