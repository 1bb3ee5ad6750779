// `sluice usage`: what the ledger's sums say, and its rows priced anew. SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "gateway/usage_words.h"

namespace sluice {

struct UsageOptions {
  std::string config;  // whose ledger it is
  std::string url;     // of the gateway that is asked instead; SLUICE_ADMIN_KEY is shown to it
  UsageWords words;
  bool json = false, csv = false;
};

// Exit codes: 0; 2, what was asked or a file is at fault, as told on standard error.
int usage_command(const UsageOptions& options);
// Every call since then whose price has changed gets a new row that goes before the old one.
int recompute_command(const UsageOptions& options);

}  // namespace sluice
