// Any bytes as the Authorization of a signed request: what is read stands in it, in the one form that there is, and no
// made-up signature fits. SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>

#include "wire/aws_sigv4.h"

namespace {

using namespace sluice;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto claim = aws_sigv4::read_claim(text);
  if (!claim) return 0;
  require(aws_sigv4::is_signature(text));
  for (const std::string_view part :
       {claim->access_key_id, claim->date, claim->region, claim->service, claim->signed_names, claim->signature}) {
    require(!part.empty() && part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
    require(part.find_first_of(", =/\r\n") == std::string_view::npos);
  }
  const std::string again = "AWS4-HMAC-SHA256 Credential=" + std::string(claim->access_key_id) + '/' +
                            std::string(claim->date) + '/' + std::string(claim->region) + '/' +
                            std::string(claim->service) +
                            "/aws4_request, SignedHeaders=" + std::string(claim->signed_names) +
                            ", Signature=" + std::string(claim->signature);
  const auto same = aws_sigv4::read_claim(again);
  require(same && same->access_key_id == claim->access_key_id && same->signed_names == claim->signed_names &&
          same->signature == claim->signature);
  http1::Fields fields;
  (void)fields.add({"Host", "h"});
  (void)fields.add({"X-Amz-Date", "20261129T123600Z"});
  const auto doubt = aws_sigv4::doubt_head(*claim, fields, 1795955760);
  if (doubt != aws_sigv4::Doubt::none) return 0;
  require(claim->signed_names == "host;x-amz-date" && claim->date == "20261129");
  require(aws_sigv4::doubt_signature(*claim, "a secret that nobody guesses",
                                     {.method = "POST", .target = "/", .fields = fields, .body = {}}) ==
          aws_sigv4::Doubt::signature);
  return 0;
}
