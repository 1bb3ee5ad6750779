// SPDX-License-Identifier: MIT
#include "gateway/object_ids.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "gateway/errand_write.h"
#include "gateway/passage.h"
#include "gateway/raw_call.h"
#include "gateway/worker.h"

namespace sluice {
namespace {

constexpr std::size_t most_list = 16 * 1024;

// Whatever could be an id in a path: its segments, also before a verb ("files/abc:download").
std::vector<std::string_view> ids_in_path(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    out.push_back(segment);
    if (const auto colon = segment.find(':'); colon != std::string_view::npos) out.push_back(segment.substr(0, colon));
    path.remove_prefix(segment.size());
  }
  return out;
}

// And in a body: its texts, and those in its lists.
std::vector<std::string> ids_in_body(const std::vector<json::TopMember>& members) {
  std::vector<std::string> out;
  for (const json::TopMember& member : members) {
    if (member.kind == json::Kind::string && member.raw.size() < 512) {
      const std::string id = json::unescape(member.raw.substr(1, member.raw.size() - 2));
      out.push_back(id.substr(id.rfind('/') + 1));
    } else if (member.kind == json::Kind::array && member.raw.size() < most_list) {
      json::Document doc;
      const auto list = doc.parse(member.raw);
      if (!list) continue;
      for (const json::Value one : list->elements()) out.push_back(one.text());
    }
  }
  return out;
}

bool raw(const Errand& errand) {
  return !errand.operation().provider.empty();
}

}  // namespace

Result<const Backend*> issuer(Exchange& ex, const Errand& errand) {
  std::string backend;
  const auto ask = [&](std::string_view id) -> Result<void> {
    if (id.size() <= 3) return {};
    const auto issue = ex.worker.shared().issuers.find(id);
    if (!issue) return {};
    if (!issue->tenant.empty() && issue->tenant != ex.tenant)
      return fail(Fault::not_found, "There is no object \"" + visible_ascii(id, 256) + "\".", "it is another caller's");
    if (backend.empty()) backend = issue->backend;
    return {};
  };
  for (const std::string_view id : ids_in_path(errand.entry.rest)) TRY_VOID(ask(id));
  TRY_VOID(ask(percent_decode(query_value(errand.entry.query, "upload_id")).value_or("")));
  if (errand.operation().model == ModelPlace::none) {
    std::vector<json::TopMember> held;
    if (raw(errand) && looks(errand.held) == Looks::object) {
      if (auto members = json::scan_object(errand.held)) held = *std::move(members);
    }
    for (const std::string& id : ids_in_body(held.empty() ? errand.members : held)) TRY_VOID(ask(id));
  }
  if (backend.empty() || raw(errand) || errand.operation().model != ModelPlace::none) return nullptr;
  for (const auto& one : ex.snapshot->backends()) {
    if (one->name == backend && one->off.empty() && takes(*one, errand.operation())) return one.get();
  }
  return nullptr;
}

void learn_ids(Exchange& ex, const Errand& errand, const Backend& backend, const Tally& tally) {
  // What a model makes is an answer, most often, and no object.
  const bool made = errand.operation().model != ModelPlace::none || (raw(errand) && !errand.model.empty());
  if (made && !errand.operation().kept) return;
  Issuers& issuers = ex.worker.shared().issuers;
  const auto asked = ids_in_path(errand.entry.rest);
  std::string owner = errand.method == "GET" || errand.method == "HEAD" ? std::string() : ex.tenant;
  for (const std::string_view id : asked) {
    if (const auto issue = issuers.find(id)) owner = issue->tenant;
  }
  for (const std::string& id : tally.ids()) {
    const bool known_before = std::ranges::find(asked, id) != asked.end();
    issuers.learn(id, backend.name, known_before ? std::string_view() : owner);
  }
}

void learn_upload(Exchange& ex, const Backend& backend) {
  const std::string_view lines = ex.relayed_fields;
  const auto at = lines.find("x-goog-upload-url:");
  if (at == std::string_view::npos) return;
  const std::string_view url = lines.substr(at, lines.find("\r\n", at) - at);
  const std::string_view query = url.substr(std::min(url.find('?'), url.size() - 1) + 1);
  ex.worker.shared().issuers.learn(query_value(query, "upload_id"), backend.name, ex.tenant);
}

}  // namespace sluice
