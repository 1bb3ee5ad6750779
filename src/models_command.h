// `sluice models`: the catalogue for people, and how it is made anew. SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace sluice {

struct ModelsOptions {
  std::string config;  // whose `catalogue` counts; empty: the built-in one
  std::string vendor;  // of list; empty: all
  std::string model;   // of show: "gpt-4o" or "azure/gpt-4o"
  std::string table;   // of update: the public table of prices
  std::string out;     // of update; empty: the configuration's catalogue, else models.txt
};

// Exit codes: 0; 1, nothing is known of it; 2, a file is at fault, as told on standard error.
int list_models(const ModelsOptions& options);
int show_model(const ModelsOptions& options);
int update_models(const ModelsOptions& options);

}  // namespace sluice
