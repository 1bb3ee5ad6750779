// SPDX-License-Identifier: MIT
#include "policy/credential.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sluice {
namespace {

// As AWS names what is wrong; its clients look for these (their dialect makes exceptions of them).
constexpr std::string_view bad_signature = "invalid_signature";
constexpr std::string_view half_signature = "incomplete_signature";

std::unexpected<Failure> refused(std::string_view message, std::string_view detail, std::string_view code = {}) {
  return fail({.fault = Fault::unauthorized,
               .message = std::string(message),
               .detail = std::string(detail),
               .code = std::string(code)});
}

constexpr std::array key_fields = {std::string_view("x-api-key"), std::string_view("x-goog-api-key"),
                                   std::string_view("api-key")};

// What was found so far, and where.
struct Found {
  std::string value;
  std::string_view where;

  // False: something else was shown before.
  [[nodiscard]] bool take(std::string_view shown, std::string_view in) {
    if (shown.empty()) return true;
    if (where.empty()) {
      value = shown;
      where = in;
      return true;
    }
    return value == shown;
  }
};

std::unexpected<Failure> two(std::string_view one, std::string_view other) {
  const std::string both = std::string(one) + " and " + std::string(other);
  return refused("This request shows two different keys (" + both + "), and only one can count. Send one.",
                 "two different credentials: " + both);
}

std::unexpected<Failure> malformed() {
  return refused(
      "The Authorization of this request is no signature of the form \"AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/"
      "bedrock/aws4_request, SignedHeaders=..., Signature=...\".",
      "malformed signature", half_signature);
}

std::unexpected<Failure> doubted(aws_sigv4::Doubt doubt) {
  using enum aws_sigv4::Doubt;
  switch (doubt) {
    case none: break;
    case token:
      return refused(
          "This request carries an X-Amz-Security-Token. Temporary credentials are not known here: sign with the "
          "access_key_id and key that this gateway's configuration names, without a session token.",
          "signed with temporary credentials");
    case service:
      return refused("The signature is made for another service: sign for \"bedrock\".", "signed for another service",
                     bad_signature);
    case date:
      return refused("A signed request needs X-Amz-Date, as 20150830T123600Z, of the day that its Credential names.",
                     "X-Amz-Date does not fit the signature", bad_signature);
    case clock:
      return refused("The signature's time is more than 5 minutes from this gateway's clock. Set your clock.",
                     "signed more than 5 minutes away from our clock", bad_signature);
    case not_covered:
      return refused(
          "The signature must count in Host, X-Amz-Date and every other X-Amz- field, and what it counts in must be "
          "there.",
          "a field is not covered by the signature", bad_signature);
    case signature: break;
  }
  return refused(
      "The signature of this request is not the one that the key of this access_key_id makes. Check the secret access "
      "key, and that nothing on the way changes Host, path or body.",
      "wrong signature", bad_signature);
}

}  // namespace

Result<Credential> read_credential(const http1::Fields& fields, std::string_view query) {
  Found found;
  bool is_signed = false;
  for (const http1::Field& f : fields) {
    std::string_view shown = f.value, in = f.name;
    if (iequals(f.name, "authorization")) {
      in = "Authorization";
      if (aws_sigv4::is_signature(shown)) {
        is_signed = true;
      } else if (istarts_with(shown, "bearer ") || iequals(shown, "bearer")) {
        shown = trim(shown.substr(6));
      } else if (!shown.empty()) {
        return refused("This gateway knows \"Authorization: Bearer KEY\" and signatures of AWS, no other kind.",
                       "another kind of Authorization");
      }
    } else {
      const auto field = std::ranges::find_if(key_fields, [&](std::string_view name) { return iequals(name, f.name); });
      if (field == key_fields.end()) continue;
      in = *field;
    }
    if (!found.take(shown, in)) return two(found.where, in);
  }
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    if (!one.starts_with("key=")) continue;
    const auto plain = percent_decode(one.substr(4));
    if (!found.take(plain ? std::string_view(*plain) : one, "?key=")) return two(found.where, "?key=");
  }
  if (found.where.empty()) {
    return refused(
        "This gateway needs a key, and this request shows none. Give your SDK one of the gateway's keys as its API "
        "key: as \"Authorization: Bearer KEY\", x-api-key, x-goog-api-key, api-key or ?key=.",
        "no key");
  }
  if (!is_signed) return Credential{.key = std::move(found.value)};
  const auto claim = aws_sigv4::read_claim(fields.get("authorization"));
  if (!claim) return malformed();
  return Credential{.claim = claim};
}

Result<Caller> find_caller(const Directory& directory, const Credential& credential, const http1::Fields& fields,
                           const CallPlace& place) {
  const Directory::Found found = credential.claim
                                     ? Directory::Found{.key = directory.signer(credential.claim->access_key_id)}
                                     : directory.find(credential.key);
  if (!found.key) {
    return credential.claim
               ? refused(
                     "The access_key_id of this request is none of this gateway's. Use one that its configuration "
                     "names, with the secret access key beside it.",
                     "unknown access_key_id " + visible_ascii(credential.claim->access_key_id, 64))
               : refused(
                     "The key of this request is none of this gateway's. Ask whoever runs the gateway for one, and "
                     "give it to your SDK as its API key.",
                     "unknown key");
  }
  if (credential.claim) {
    const auto doubt = aws_sigv4::doubt_head(*credential.claim, fields, place.unix_ms / 1000);
    if (doubt != aws_sigv4::Doubt::none) return doubted(doubt);
  } else {
    TRY_VOID(may_call(found, place.peer, place.dialect, place.unix_ms));
  }
  const Key& key = *found.key;
  return Caller{.name = key.name, .tenant = key.tenant, .key = &key, .claimed = credential.claim.has_value()};
}

Result<void> prove(const Caller& caller, const aws_sigv4::Received& request, const CallPlace& place) {
  const auto claim = aws_sigv4::read_claim(request.fields.get("authorization"));
  if (!claim) return malformed();
  const auto doubt = aws_sigv4::doubt_signature(*claim, caller.key->secret.reveal(), request);
  if (doubt != aws_sigv4::Doubt::none) return doubted(doubt);
  return may_call({.key = caller.key}, place.peer, place.dialect, place.unix_ms);
}

}  // namespace sluice
