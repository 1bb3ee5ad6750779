// SPDX-License-Identifier: MIT
#include "wire/aws_sigv4.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.h"
#include "wire/sha256.h"

namespace sluice::aws_sigv4 {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

// RFC 3986: everything but letters, digits and -._~; `keep` stays as well.
void append_encoded(std::string& out, std::string_view text, std::string_view keep) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").contains(c) || keep.contains(c);
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
}

// The parameters in the order of their names. They are escaped already.
std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    if (one.empty()) continue;
    const auto equals = std::min(one.find('='), one.size());
    all.emplace_back(one.substr(0, equals), one.substr(std::min(equals + 1, one.size())));
  }
  std::ranges::sort(all);
  std::string out;
  for (const auto& [name, value] : all) {
    if (!out.empty()) out += '&';
    out += std::string(name) + '=' + std::string(value);
  }
  return out;
}

std::string_view signed_names(const Credentials& credentials) {
  return credentials.session_token.empty() ? "host;x-amz-date" : "host;x-amz-date;x-amz-security-token";
}

// `lines`: the signed fields, "name:value\n" each, in the order of `names`.
std::string canonical(std::string_view method, std::string_view target, std::string_view lines, std::string_view names,
                      std::string_view body) {
  const auto mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  std::string out(method);
  out += '\n';
  // Escaped once more than it is on the wire: what stands there is taken for plain text (only S3 differs).
  append_encoded(out, path.empty() ? std::string_view("/") : path, "/");
  out += '\n';
  if (mark != std::string_view::npos) out += canonical_query(target.substr(mark + 1));
  out += '\n';
  out += lines;
  out += '\n';
  out += names;
  out += '\n';
  return out + hex(sha256(body));
}

struct Scope {
  std::string_view day, region, service;
  [[nodiscard]] std::string text() const {
    return std::string(day) + '/' + std::string(region) + '/' + std::string(service) + "/aws4_request";
  }
};

std::string signature(std::string_view secret_access_key, std::string_view date, const Scope& scope,
                      std::string_view canonical_text) {
  const std::string text =
      std::string(algorithm) + '\n' + std::string(date) + '\n' + scope.text() + '\n' + hex(sha256(canonical_text));
  std::string secret = "AWS4" + std::string(secret_access_key);
  Sha256 key = hmac_sha256(secret, scope.day);
  std::ranges::fill(secret, '\0');
  for (const std::string_view step : {scope.region, scope.service, std::string_view("aws4_request")}) {
    key = hmac_sha256(bytes(key), step);
  }
  return hex(hmac_sha256(bytes(key), text));
}

}  // namespace

std::string amz_date(std::int64_t unix_seconds) {
  // "2015-08-30T12:36:00.000Z" without its signs.
  std::string out = rfc3339(unix_seconds * 1000).substr(0, 19);
  std::erase_if(out, [](char c) { return c == '-' || c == ':'; });
  return out + 'Z';
}

std::string canonical_request(const Credentials& credentials, const Request& request) {
  std::string lines =
      "host:" + std::string(trim(request.host)) + "\nx-amz-date:" + amz_date(request.unix_seconds) + '\n';
  if (!credentials.session_token.empty()) {
    lines += "x-amz-security-token:" + std::string(credentials.session_token) + '\n';
  }
  return canonical(request.method, request.target, lines, signed_names(credentials), request.body);
}

std::string signing_fields(const Credentials& credentials, const Request& request) {
  const std::string date = amz_date(request.unix_seconds);
  const Scope scope{.day = std::string_view(date).substr(0, 8), .region = request.region, .service = request.service};
  std::string out;
  http1::append_field(out, "x-amz-date", date);
  if (!credentials.session_token.empty()) http1::append_field(out, "x-amz-security-token", credentials.session_token);
  http1::append_field(
      out, "authorization",
      std::string(algorithm) + " Credential=" + std::string(credentials.access_key_id) + '/' + scope.text() +
          ", SignedHeaders=" + std::string(signed_names(credentials)) + ", Signature=" +
          signature(credentials.secret_access_key, date, scope, canonical_request(credentials, request)));
  return out;
}

bool is_signature(std::string_view authorization) {
  return istarts_with(authorization, "AWS4-");
}

namespace {

bool all_of(std::string_view text, bool (*fits)(char)) {
  return !text.empty() && std::ranges::all_of(text, fits);
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool in_name(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}
bool in_id(char c) {
  return in_name(c) || (c >= 'A' && c <= 'Z');
}

// The text before the next `end`, which is taken away with it.
std::string_view cut(std::string_view& rest, char end) {
  const std::string_view out = rest.substr(0, rest.find(end));
  rest.remove_prefix(std::min(out.size() + 1, rest.size()));
  return out;
}

bool read_credential(std::string_view text, Claim& out) {
  out.access_key_id = cut(text, '/');
  out.date = cut(text, '/');
  out.region = cut(text, '/');
  out.service = cut(text, '/');
  return text == "aws4_request" && all_of(out.access_key_id, in_id) && out.date.size() == 8 &&
         all_of(out.date, is_digit) && all_of(out.region, in_name) && all_of(out.service, in_name);
}

bool read_names(std::string_view text, Claim& out) {
  out.signed_names = text;
  std::string_view before;
  do {
    const std::string_view name = cut(text, ';');
    if (!all_of(name, in_name) || name <= before) return false;
    before = name;
  } while (!text.empty());
  return !out.signed_names.ends_with(';');
}

bool read_signature(std::string_view text, Claim& out) {
  out.signature = text;
  return text.size() == 64 && all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool names_it(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    if (iequals(cut(names, ';'), name)) return true;
  }
  return false;
}

// "20150830T123600Z" in Unix seconds.
std::optional<std::int64_t> read_date(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  std::string plain(text);
  for (const std::size_t at : {4U, 7U}) plain.insert(at, 1, '-');
  for (const std::size_t at : {13U, 16U}) plain.insert(at, 1, ':');
  const auto ms = parse_rfc3339(plain);
  if (!ms || amz_date(*ms / 1000) != text) return std::nullopt;  // one spelling only
  return *ms / 1000;
}

// All values of that name as a signature counts them in: white space once, commas between.
std::string canonical_value(const http1::Fields& fields, std::string_view name) {
  std::string out;
  bool first = true;
  for (const http1::Field& f : fields) {
    if (!iequals(f.name, name)) continue;
    if (!std::exchange(first, false)) out += ',';
    bool blank = false;
    for (const char c : trim(f.value)) {
      if (c != ' ' && c != '\t') {
        if (blank) out += ' ';
        out += c;
      }
      blank = c == ' ' || c == '\t';
    }
  }
  return out;
}

}  // namespace

std::optional<Claim> read_claim(std::string_view authorization) {
  if (!authorization.starts_with(algorithm) || authorization.substr(algorithm.size(), 1) != " ") return std::nullopt;
  std::string_view rest = authorization.substr(algorithm.size() + 1);
  struct Part {
    std::string_view name;
    bool (*read)(std::string_view, Claim&);
    bool seen = false;
  };
  std::array parts = {Part{"Credential=", read_credential}, Part{"SignedHeaders=", read_names},
                      Part{"Signature=", read_signature}};
  Claim out;
  while (!rest.empty()) {
    const std::string_view one = trim(cut(rest, ','));
    const auto part = std::ranges::find_if(parts, [&](const Part& p) { return one.starts_with(p.name); });
    if (part == parts.end() || std::exchange(part->seen, true)) return std::nullopt;
    if (!part->read(one.substr(part->name.size()), out)) return std::nullopt;
  }
  if (!std::ranges::all_of(parts, &Part::seen)) return std::nullopt;
  return out;
}

Doubt doubt_head(const Claim& claim, const http1::Fields& fields, std::int64_t unix_seconds) {
  if (fields.has("x-amz-security-token")) return Doubt::token;
  if (claim.service != "bedrock" && !claim.service.starts_with("bedrock-")) return Doubt::service;
  const std::string_view date = fields.get("x-amz-date");
  const auto then = read_date(date);
  if (!then || !date.starts_with(claim.date)) return Doubt::date;
  constexpr std::int64_t most_skew = 300;
  if (*then > unix_seconds + most_skew || *then < unix_seconds - most_skew) return Doubt::clock;
  for (const http1::Field& f : fields) {
    const bool must = iequals(f.name, "host") || istarts_with(f.name, "x-amz-");
    if (must && !names_it(claim.signed_names, f.name)) return Doubt::not_covered;
  }
  if (!fields.has("host")) return Doubt::not_covered;
  for (std::string_view rest = claim.signed_names; !rest.empty();) {
    if (!fields.has(cut(rest, ';'))) return Doubt::not_covered;
  }
  return Doubt::none;
}

Doubt doubt_signature(const Claim& claim, std::string_view secret, const Received& request) {
  std::string lines;
  for (std::string_view rest = claim.signed_names; !rest.empty();) {
    const std::string_view name = cut(rest, ';');
    lines += std::string(name) + ':' + canonical_value(request.fields, name) + '\n';
  }
  const std::string own = signature(secret, request.fields.get("x-amz-date"),
                                    {.day = claim.date, .region = claim.region, .service = claim.service},
                                    canonical(request.method, request.target, lines, claim.signed_names, request.body));
  return same(own, claim.signature) ? Doubt::none : Doubt::signature;
}

}  // namespace sluice::aws_sigv4
