// The first byte says how the rest is cut; whole and cut must tell the same, and the value must stand where it is said
// to. SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = data[0] % 17 + 1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  sluice::MultipartScan whole("xyz", "model"), cut("xyz", "model");
  whole.feed(text);
  for (std::size_t at = 0; at < text.size(); at += step) cut.feed(text.substr(at, step));
  if (whole.broken() != cut.broken() || whole.over() != cut.over() || whole.twice() != cut.twice() ||
      whole.value() != cut.value())
    std::abort();
  if (whole.found() && text.substr(whole.value_at(), whole.value().size()) != whole.value()) std::abort();
  (void)sluice::multipart_boundary(text);
  return 0;
}
