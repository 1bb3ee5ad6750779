// A vendor as a page of data: where it lives, how it authenticates, which dialects it speaks on which paths, which
// model names are its own. No code per vendor, no I/O; the rows are in registry.cc. Config may name any row as `type:`.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/dialect.h"

namespace sluice {

enum class AuthKind : std::uint8_t {
  none,
  bearer,  // Authorization: Bearer KEY
  header,  // NAME: KEY
  aws,     // Authorization: Bearer KEY, or without a key a signature made with AWS credentials (wire/aws_sigv4.h)
};

struct Auth {
  AuthKind kind = AuthKind::bearer;
  std::string_view header;   // for AuthKind::header
  std::string_view service;  // for AuthKind::aws: what is signed for
};

// What a cloud wants differently in the body of a dialect that it speaks for somebody else.
struct BodyForm {
  std::span<const std::string_view> drop;                              // top-level members that stand in the path here
  std::span<const std::pair<std::string_view, std::string_view>> set;  // name and JSON, unless the body says it itself
  std::span<const std::string_view> drop_headers;  // headers that only the vendor's own address takes
  std::string_view list_header, list_member;       // a header whose words stand in the body here, as a list of texts
  std::span<const std::string_view> list_words;    // patterns of the words that are taken there
};

// One operation in one dialect. `{model}` in a path is replaced by the percent-encoded upstream model name.
struct Endpoint {
  DialectId dialect = DialectId::openai_chat;
  Operation operation = Operation::chat;
  std::string_view path;
  std::string_view stream_path;              // empty = the same as path
  std::span<const std::string_view> models;  // patterns of the models that it serves; empty = all
  const BodyForm* form = nullptr;            // null: the dialect's own
};

struct Provider {
  std::string_view name;
  std::string_view base_url;  // empty: config must give one; may hold {region}
  Auth auth;
  std::span<const Endpoint> endpoints;        // the first dialect listed is the one translations use
  std::span<const std::string_view> key_env;  // environment variables that may hold the key, first found wins
  std::span<const std::string_view> owns;     // patterns of model names that are this vendor's own
  bool key_required = true;                   // at the vendor's own base_url
  std::string_view flavour;                   // Destination::provider; tells a dialect whose defects and rules apply
};

// Every known provider.
[[nodiscard]] std::span<const Provider> providers();
// By name ("openai", "claude" and "anthropic" alike); null when unknown.
[[nodiscard]] const Provider* provider(std::string_view name);

// The endpoint for an operation in a dialect that serves this model (the upstream's name; nullopt: any), or null.
[[nodiscard]] const Endpoint* endpoint(const Provider& provider, DialectId dialect, Operation operation,
                                       std::optional<std::string_view> model);

// Path and query of a call below the origin: base path + endpoint path with the model put in. A base path that already
// ends in the endpoint's version ("/v1") is not doubled.
[[nodiscard]] std::string call_path(std::string_view base_path, const Endpoint& endpoint, std::string_view model,
                                    bool stream);

}  // namespace sluice
