// `sluice usage`: what the ledger's sums say, and its rows priced anew. SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace sluice {

struct UsageOptions {
  std::string config;         // whose ledger it is
  std::string by = "model";   // model, key, group, backend, day, hour, tag
  std::string since = "30d";  // a time before now, or a day: "2026-11-01", in UTC
  std::string until;          // likewise; empty: now
  bool json = false, csv = false;
};

// Exit codes: 0; 2, what was asked or a file is at fault, as told on standard error.
int usage_command(const UsageOptions& options);
// Every call since then whose price has changed gets a new row that goes before the old one.
int recompute_command(const UsageOptions& options);

}  // namespace sluice
