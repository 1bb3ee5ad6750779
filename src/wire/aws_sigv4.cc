// SPDX-License-Identifier: MIT
#include "wire/aws_sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "base/text.h"
#include "wire/http1.h"

namespace sluice::aws_sigv4 {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
using Digest = std::array<unsigned char, 32>;

std::string hex(const Digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

Digest sha256(std::string_view text) {
  Digest out{};
  EVP_Digest(text.data(), text.size(), out.data(), nullptr, EVP_sha256(), nullptr);
  return out;
}

Digest hmac(std::string_view key, std::string_view text) {
  Digest out{};
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out.data(), nullptr);
  return out;
}

std::string_view bytes(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

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

std::string scope(const Request& request) {
  return amz_date(request.unix_seconds).substr(0, 8) + '/' + std::string(request.region) + '/' +
         std::string(request.service) + "/aws4_request";
}

std::string signature(const Credentials& credentials, const Request& request) {
  const std::string date = amz_date(request.unix_seconds);
  const std::string text = std::string(algorithm) + '\n' + date + '\n' + scope(request) + '\n' +
                           hex(sha256(canonical_request(credentials, request)));
  std::string secret = "AWS4" + std::string(credentials.secret_access_key);
  Digest key = hmac(secret, std::string_view(date).substr(0, 8));
  std::ranges::fill(secret, '\0');
  for (const std::string_view step : {request.region, request.service, std::string_view("aws4_request")}) {
    key = hmac(bytes(key), step);
  }
  return hex(hmac(bytes(key), text));
}

}  // namespace

std::string amz_date(std::int64_t unix_seconds) {
  // "2015-08-30T12:36:00.000Z" without its signs.
  std::string out = rfc3339(unix_seconds * 1000).substr(0, 19);
  std::erase_if(out, [](char c) { return c == '-' || c == ':'; });
  return out + 'Z';
}

std::string canonical_request(const Credentials& credentials, const Request& request) {
  const auto mark = request.target.find('?');
  const std::string_view path = request.target.substr(0, mark);
  std::string out(request.method);
  out += '\n';
  // Escaped once more than it is on the wire: what stands there is taken for plain text (only S3 differs).
  append_encoded(out, path.empty() ? std::string_view("/") : path, "/");
  out += '\n';
  if (mark != std::string_view::npos) out += canonical_query(request.target.substr(mark + 1));
  out += "\nhost:" + std::string(trim(request.host)) + "\nx-amz-date:" + amz_date(request.unix_seconds) + '\n';
  if (!credentials.session_token.empty()) {
    out += "x-amz-security-token:" + std::string(credentials.session_token) + '\n';
  }
  out += '\n';
  out += signed_names(credentials);
  out += '\n';
  return out + hex(sha256(request.body));
}

std::string signing_fields(const Credentials& credentials, const Request& request) {
  std::string out;
  http1::append_field(out, "x-amz-date", amz_date(request.unix_seconds));
  if (!credentials.session_token.empty()) http1::append_field(out, "x-amz-security-token", credentials.session_token);
  http1::append_field(out, "authorization",
                      std::string(algorithm) + " Credential=" + std::string(credentials.access_key_id) + '/' +
                          scope(request) + ", SignedHeaders=" + std::string(signed_names(credentials)) +
                          ", Signature=" + signature(credentials, request));
  return out;
}

}  // namespace sluice::aws_sigv4
