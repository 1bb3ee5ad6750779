// `sluice serve`: from a configuration file to a running gateway, until a signal or a successor ends it.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

namespace sluice {

struct ServeOptions {
  std::string config;             // a file; empty = what the environment offers
  bool takeover = false;          // takes the place of the gateway that runs, if one does
  std::function<void()> serving;  // called once it serves; may be empty
};

// The process's exit code: 0 after SIGTERM, SIGINT or a successor, 1 for a configuration with faults, 2 when it cannot
// start.
[[nodiscard]] int serve_command(ServeOptions options);

// The same in a process of its own. Returns once that one serves (0) or has ended (its exit code). Only while there are
// no threads.
[[nodiscard]] int serve_detached(ServeOptions options);

}  // namespace sluice
