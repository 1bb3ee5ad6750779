// SPDX-License-Identifier: MIT
#include "gateway/allowed.h"

#include <algorithm>
#include <array>

#include "gateway/raw_call.h"

namespace sluice {
namespace {

// "backend/model" for exactly what that backend calls so.
bool allows_addressed(const Key& key, std::string_view asked, const Target& target) {
  for (const std::string* name : {&target.backend->name, &target.backend->group}) {
    if (!asked.starts_with(*name) || asked.substr(name->size(), 1) != "/") continue;
    const std::string_view model = asked.substr(name->size() + 1);
    if (key.allows_model(model) && target.backend->upstream_name(model) == target.model) return true;
  }
  return false;
}

// What is stored with a vendor, or asked of what is stored: it runs no model of the caller's choice.
constexpr std::array stores = {std::string_view("files"),         std::string_view("uploads"),
                               std::string_view("containers"),    std::string_view("responses"),
                               std::string_view("conversations"), std::string_view("vector_stores"),
                               std::string_view("skills"),        std::string_view("file_search_stores")};
// What runs the model that its body names, and no other.
constexpr std::array told_inside = {std::string_view("fine_tuning"), std::string_view("cached_contents")};

}  // namespace

bool allows(const Key* key, const Backend& backend) {
  return !key || !key->limits_backends || key->allows_backend(backend.name, backend.group);
}

Result<void> keep_allowed(const Key& key, const Route* route, std::string_view model, std::vector<Target>& targets) {
  if (key.limits_models && !key.allows_model(model)) {
    if (route) return fail(no_such_model(key, model));
    std::erase_if(targets, [&](const Target& target) { return !allows_addressed(key, model, target); });
    if (targets.empty()) return fail(no_such_model(key, model));
  }
  if (!key.limits_backends) return {};
  std::erase_if(targets, [&](const Target& target) { return !allows(&key, *target.backend); });
  if (targets.empty()) return fail(no_such_backend(key, model));
  return {};
}

Result<void> check_model(const Key& key, const VendorOperation& operation, std::string_view method,
                         std::string_view model) {
  if (!key.limits_models) return {};
  const bool places = operation.model != ModelPlace::none || !operation.provider.empty();
  if (!model.empty() && (places || std::ranges::find(told_inside, operation.name) != told_inside.end())) {
    if (key.allows_model(model) || key.allows_model(bare_model(model))) return {};
    return fail(no_such_model(key, model));
  }
  const bool looks = method == "GET" || method == "HEAD" || method == "DELETE";
  if (!places && (looks || std::ranges::find(stores, operation.name) != stores.end())) return {};
  return fail(
      Fault::forbidden,
      "This key may use some models only, and this call does not tell which ones it uses. Name the model at the "
      "beginning of the request; what runs models that stand elsewhere, as batches do, takes a key without a "
      "list of models.",
      "the key " + key.name + " is for some models, and the call names none");
}

Result<void> check_inside(const Key& key, const std::vector<json::TopMember>& members) {
  std::vector<std::string> models;
  models_inside(models, members);
  for (const std::string& model : models) {
    if (!key.allows_model(model) && !key.allows_model(bare_model(model))) return fail(no_such_model(key, model));
  }
  return {};
}

std::vector<ModelRow> models_for(const Exchange& ex) {
  const Key* key = ex.key;
  if (!key || (!key->limits_models && !key->limits_backends)) return ex.snapshot->models();
  auto rows = ex.snapshot->models([&](const Backend& backend) { return allows(key, backend); });
  std::erase_if(rows, [&](const ModelRow& row) { return !key->allows_model(row.id); });
  return rows;
}

}  // namespace sluice
