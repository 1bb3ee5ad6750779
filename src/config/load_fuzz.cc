// Any text as config.yaml: every fault is told, nothing throws, and what has no fault can be compiled and asked.
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>

#include "config/snapshot.h"

namespace {

std::optional<std::string> variable(const char* name) {
  return std::string_view(name) == "OPENAI_API_KEY" ? std::optional<std::string>("never-shown") : std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (text.contains("file:") || text.contains("catalogue")) return 0;  // a fuzzer has no business in the file system
  const sluice::Loaded loaded = sluice::load_config(text, "config.yaml", variable);
  const std::string told = sluice::render(loaded.faults, text, "config.yaml");
  if (loaded.faults.empty() != told.empty()) __builtin_trap();
  if (told.find("never-shown") != std::string::npos && text.find("never-shown") == std::string::npos) __builtin_trap();
  if (loaded.ok()) {
    const auto snapshot = sluice::Snapshot::compile(loaded.config);
    for (const auto& row : snapshot->models()) {
      if (row.owner != "sluice" && !snapshot->targets(row.id)) __builtin_trap();
    }
    (void)snapshot->targets("no such model");
  }
  return 0;
}
