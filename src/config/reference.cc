// The table of settings as people and editors read it: a Markdown page and a JSON Schema.
// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "config/budget_settings.h"
#include "config/meter_settings.h"
#include "config/reading.h"

namespace sluice {
namespace {

using namespace config;

// A section as both writers need it: where it hangs and its rows.
struct Section {
  std::string path;
  std::vector<const Doc*> rows;
};

template <class T>
Section section(std::string path, std::span<const Setting<T>> table) {
  Section out{std::move(path), {}};
  for (const Setting<T>& s : table) out.rows.push_back(&s.doc);
  return out;
}

std::vector<Section> sections() {
  return {section("", root_settings()),
          section("server", server_settings()),
          section("server.tls", tls_settings()),
          section("server.cors", cors_settings()),
          section("server.request_timeouts", timeout_changes()),
          section("server.queue", queue_limits()),
          section("backends.*", backend_settings()),
          section("backends.*.accounts.*", account_settings()),
          section("backends.*.aws", aws_settings()),
          section("backends.*.timeouts", timeout_settings()),
          section("backends.*.probe", probe_settings()),
          section("routes.*", route_settings()),
          section("routes.*.when", when_settings()),
          section("routes.*.try.*", try_settings()),
          section("routes.*.try.*.timeouts", timeout_changes()),
          section("routes.*.timeouts", timeout_changes()),
          section("routes.*.mirror.*", mirror_settings()),
          section("routes.*.mirror.*.timeouts", timeout_changes()),
          section("routes.*.failover", failover_changes()),
          section("admin", admin_settings()),
          section("groups.*", group_settings()),
          section("groups.*.limits", node_limit_settings()),
          section("groups.*.limits.requests", request_rate_settings()),
          section("groups.*.limits.tokens", token_rate_settings()),
          section("groups.*.budgets.*", budget_settings()),
          section("keys.*", key_settings()),
          section("keys.*.limits", node_limit_settings()),
          section("keys.*.limits.requests", request_rate_settings()),
          section("keys.*.limits.tokens", token_rate_settings()),
          section("keys.*.budgets.*", budget_settings()),
          section("ledger", ledger_settings()),
          section("monitoring", monitoring_settings()),
          section("failover", failover_settings()),
          section("failover.breaker", breaker_settings()),
          section("limits", limit_settings()),
          section("limits.per_caller", caller_limit_settings())};
}

void write_enum(json::Writer& w, std::string_view list) {
  w.key("enum").begin_array();
  while (!list.empty()) {
    const auto comma = list.find(", ");
    w.string(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 2);
  }
  w.end_array();
}

void write_section(json::Writer& w, const std::vector<Section>& all, std::string_view path);

void write_doc(json::Writer& w, const std::vector<Section>& all, const Doc& doc, std::string_view path) {
  w.key(doc.name).begin_object();
  w.member("description", doc.sentence);
  const std::string_view type = doc.type;
  if (type == "section") {
    write_section(w, all, path);
  } else if (type == "map of backends") {
    w.member("type", "object").key("additionalProperties").begin_object();
    write_section(w, all, std::string(path) + ".*");
    w.end_object();
  } else if (type == "list of targets") {
    w.member("type", "array").key("items").begin_object().member("$ref", "#/definitions/target").end_object();
  } else if (type == "text or list of text") {
    w.key("anyOf").raw(R"([{"type":"string"},{"type":"array","items":{"type":"string"}}])");
  } else if (type == "map of values") {
    w.member("type", "object");
  } else if (type == "mirror or list of mirrors") {
    const std::string one = std::string(path) + ".*";
    w.key("anyOf").begin_array().begin_object();
    write_section(w, all, one);
    w.end_object().begin_object().member("type", "array").key("items").begin_object();
    write_section(w, all, one);
    w.end_object().end_object().end_array();
  } else if (type == "list of routes" || type == "list of accounts" || type == "list of keys" ||
             type == "list of groups" || type == "list of budgets") {
    w.member("type", "array").key("items").begin_object();
    write_section(w, all, std::string(path) + ".*");
    w.end_object();
  } else if (type == "map of text") {
    w.member("type", "object").key("additionalProperties").begin_object().member("type", "string").end_object();
  } else if (type == "list of text") {
    w.member("type", "array").key("items").begin_object().member("type", "string").end_object();
  } else if (type == "list of shares") {
    w.member("type", "array").key("items").raw(R"({"type":["integer","string"]})");
  } else if (type == "dollars") {
    w.key("type").raw(R"(["number","string"])");
  } else if (type == "list of models") {
    w.member("type", "array")
        .key("items")
        .raw(
            R"({"anyOf":[{"type":"string"},{"type":"object","required":["name"],"additionalProperties":false,"properties":{"name":{"type":"string"},"upstream":{"type":"string"}}}]})");
  } else if (type == "yes/no") {
    w.key("type").raw(R"(["boolean","string"])");
  } else if (type == "number") {
    w.key("type").raw(R"(["integer","string"])");
  } else if (type.starts_with("one of ")) {
    write_enum(w, type.substr(7));
  } else {
    w.member("type", "string");
  }
  w.end_object();
}

void write_section(json::Writer& w, const std::vector<Section>& all, std::string_view path) {
  for (const Section& s : all) {
    if (s.path != path) continue;
    w.key("type")
        .raw(R"(["object","null"])")
        .member_bool("additionalProperties", false)
        .key("properties")
        .begin_object();
    for (const Doc* doc : s.rows)
      write_doc(w, all, *doc, path.empty() ? std::string(doc->name) : std::string(path) + '.' + std::string(doc->name));
    w.end_object();
  }
}

}  // namespace

std::string config_schema() {
  std::string out;
  json::Writer w(out);
  w.begin_object()
      .member("$schema", "http://json-schema.org/draft-07/schema#")
      .member("title", "config.yaml of Sluice");
  write_section(w, sections(), "");
  // An entry of `try` or `over`, which may hold more of them.
  w.key("definitions").begin_object().key("target").begin_object().key("anyOf").begin_array().begin_object();
  write_section(w, sections(), "routes.*.try.*");
  w.end_object().raw(R"({"type":"array","items":{"$ref":"#/definitions/target"}})").end_array();
  w.end_object().end_object().end_object();
  return out;
}

std::string config_reference() {
  std::string out =
      "# Settings\n\nEvery setting of `config.yaml`. Anything else in the file is an error. Texts may hold "
      "`${VARIABLE}`, "
      "`${VARIABLE:-fallback}` and\n`${file:/path}`. The file is read again when it changes and on SIGHUP; settings "
      "marked "
      "*restart* take effect on the next start.\nThis page is made by `sluice reference`.\n";
  for (const Section& s : sections()) {
    out += "\n## " + (s.path.empty() ? std::string("Top level") : "`" + s.path + "`") +
           "\n\n| setting | type | default | meaning |\n|---|---|---|---|\n";
    for (const Doc* doc : s.rows) {
      out += "| `" + std::string(doc->name) + "` | " + std::string(doc->type) + " | " + std::string(doc->fallback) +
             " | " + std::string(doc->sentence) + (doc->restart ? " (*restart*)" : "") + " |\n";
    }
  }
  return out;
}

}  // namespace sluice
