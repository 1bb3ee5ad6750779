// SPDX-License-Identifier: MIT
#include "gateway/passage.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"
#include "gateway/answer_fields.h"

namespace sluice {
namespace {

using Words = std::string_view;

constexpr std::array asked_names = {Words("accept"),
                                    Words("accept-encoding"),
                                    Words("accept-language"),
                                    Words("content-type"),
                                    Words("range"),
                                    Words("content-encoding"),
                                    Words("content-range"),
                                    Words("content-disposition"),
                                    Words("if-match"),
                                    Words("content-language"),
                                    Words("if-none-match"),
                                    Words("if-modified-since"),
                                    Words("if-range"),
                                    Words("if-unmodified-since"),
                                    Words("digest"),
                                    Words("idempotency-key"),
                                    Words("prefer"),
                                    Words("user-agent"),
                                    Words("traceparent"),
                                    Words("tracestate"),
                                    Words("x-title"),
                                    Words("x-client-name"),
                                    Words("x-client-request-id")};
constexpr Words asked_prefix = "x-stainless-";
// What only one vendor is told: how such a name begins, and the words that are spoken with it.
struct ToVendor {
  Words begins;
  DialectId dialect;
};
constexpr std::array to_vendors = {
    ToVendor{"openai-beta", DialectId::openai_chat}, ToVendor{"openai-beta", DialectId::openai_responses},
    ToVendor{"anthropic-", DialectId::anthropic},    ToVendor{"x-goog-", DialectId::gemini},
    ToVendor{"cohere-", DialectId::cohere},          ToVendor{"x-amzn-bedrock-", DialectId::bedrock_converse},
};
// Of these prefixes: credentials, and whose project pays.
constexpr std::array asked_secrets = {
    Words("x-goog-api-key"),          Words("x-goog-iam-authorization-token"),  Words("x-goog-iam-authority-selector"),
    Words("x-goog-user-project"),     Words("x-goog-authenticated-user-email"), Words("x-goog-authenticated-user-id"),
    Words("x-goog-iap-jwt-assertion")};

constexpr std::array kept_back = {Words("connection"),
                                  Words("keep-alive"),
                                  Words("proxy-authenticate"),
                                  Words("proxy-connection"),
                                  Words("te"),
                                  Words("trailer"),
                                  Words("transfer-encoding"),
                                  Words("upgrade"),
                                  Words("content-length"),
                                  Words("content-type"),
                                  Words("date"),
                                  Words("set-cookie"),
                                  Words("alt-svc"),
                                  Words("server"),
                                  Words("strict-transport-security"),
                                  Words("nel"),
                                  Words("report-to"),
                                  Words("via"),
                                  Words("www-authenticate"),
                                  Words("retry-after"),
                                  Words("retry-after-ms")};

// Parameters in which clients put keys: Google's, Azure's, AWS's signed addresses.
constexpr std::array query_secrets = {Words("key"),     Words("access_token"), Words("oauth_token"),
                                      Words("api_key"), Words("api-key"),      Words("subscription-key")};
constexpr Words signed_prefix = "x-amz-";

bool among(std::span<const Words> names, Words name) {
  return std::ranges::any_of(names, [&](Words one) { return iequals(one, name); });
}

bool is_credential(Words parameter) {
  return among(query_secrets, parameter) || istarts_with(parameter, signed_prefix);
}

// Keys that the request itself shows, so that no other field carries them on.
struct Shown {
  std::array<Words, 4> keys;
  explicit Shown(const http1::Fields& fields) {
    Words bearer = fields.get("authorization");
    if (istarts_with(bearer, "bearer ")) bearer.remove_prefix(7);
    keys = {trim(bearer), fields.get("x-api-key"), fields.get("api-key"), fields.get("x-goog-api-key")};
  }
  [[nodiscard]] bool in(Words value) const {
    return std::ranges::any_of(keys, [&](Words key) { return key.size() >= 8 && value.contains(key); });
  }
};

// Where an upload is to go on, said in the upstream's address: the same path and query here.
std::string moved_here(Words url, Words own_address) {
  const auto scheme = url.find("://");
  const auto slash = scheme == Words::npos ? Words::npos : url.find('/', scheme + 3);
  if (slash == Words::npos) return {};
  const Words target = url.substr(slash);
  const auto mark = target.find('?');
  std::string out(own_address);
  out += target.substr(0, mark);
  if (mark == Words::npos) return out;
  if (const std::string query = without_key(target.substr(mark + 1)); !query.empty()) out += '?' + query;
  return out;
}

}  // namespace

void append_asked_fields(std::string& out, const http1::Fields& fields, DialectId spoken) {
  const Shown shown(fields);
  for (const http1::Field& f : fields) {
    const bool named = among(asked_names, f.name) || istarts_with(f.name, asked_prefix) ||
                       std::ranges::any_of(to_vendors, [&](ToVendor to) {
                         return to.dialect == spoken && istarts_with(f.name, to.begins);
                       });
    if (!named || among(asked_secrets, f.name) || shown.in(f.value)) continue;
    if (list_has(fields.get("connection"), f.name)) continue;  // meant for us alone (RFC 9110, 7.6.1)
    http1::append_field(out, lower(f.name), f.value);
  }
}

void append_passed_fields(std::string& out, const http1::Fields& fields, std::string_view own_address,
                          const OwnLimits& own_limits, std::int64_t now_unix_ms, LimitsTold& limits) {
  for (const http1::Field& f : fields) {
    if (among(kept_back, f.name) || istarts_with(f.name, "x-sluice-") || istarts_with(f.name, "access-control-"))
      continue;
    if (list_has(fields.get("connection"), f.name)) continue;
    const auto limit = take_limit(f, now_unix_ms, limits);
    if (own_limits.replace(f, limit)) continue;
    if (names_request_id(f.name)) {
      http1::append_field(out, "x-sluice-upstream-request-id", f.value);
    } else if (iequals(f.name, "x-goog-upload-url") || iequals(f.name, "x-goog-upload-control-url")) {
      if (const std::string own = moved_here(f.value, own_address); !own.empty())
        http1::append_field(out, lower(f.name), own);
    } else {
      http1::append_field(out, lower(f.name), f.value);
    }
  }
}

std::string without_key(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const Words one = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto name = percent_decode(one.substr(0, one.find('=')));
    if (one.empty() || (name && is_credential(*name))) continue;
    if (!out.empty()) out += '&';
    out += one;
  }
  return out;
}

std::string_view query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const Words one = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = one.find('=');
    if (equals != Words::npos && one.substr(0, equals) == name) return one.substr(equals + 1);
  }
  return {};
}

}  // namespace sluice
