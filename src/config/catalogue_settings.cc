// `catalogue`: a file of models and prices in place of the built-in one. SPDX-License-Identifier: MIT
#include <fstream>
#include <sstream>

#include "config/reading.h"
#include "pricing/catalogue.h"
#include "providers/provider.h"

namespace sluice {

const Catalogue& catalogue(const Config& config) {
  return config.models ? *config.models : Catalogue::built_in();
}

std::string_view BackendSettings::vendor() const {
  const Provider* row = provider(type.empty() ? name : type);
  if (!row || row->name == "compatible") return {};
  // Under its own name at another address it is taken for that vendor behind a proxy.
  const bool own = base_url.empty() || row->base_url.empty() || provider(name) == row;
  return own ? row->name : std::string_view();
}

}  // namespace sluice

namespace sluice::config {

void read_catalogue(Reading& in, const YAML::Node& node, std::string_view path, Config& out) {
  if (!in.text(node, path, out.catalogue) || out.catalogue.empty()) return;
  constexpr std::string_view how = "`sluice models update FILE --out PATH` makes one from the public price table";
  std::ifstream file(out.catalogue, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    in.fault(node.Mark(), quoted_name(path) + ": the file " + out.catalogue + " cannot be read", std::string(how));
    return;
  }
  auto models = Catalogue::read(std::move(text).str());
  if (!models) {
    in.fault(node.Mark(), quoted_name(path) + ": " + out.catalogue + ", " + models.error()->message, std::string(how));
    return;
  }
  out.models = *std::move(models);
}

}  // namespace sluice::config
