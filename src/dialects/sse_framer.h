// The framer of every dialect whose stream is server-sent events. SPDX-License-Identifier: MIT
#pragma once

#include "dialects/dialect.h"
#include "wire/sse.h"

namespace sluice {

// A frame without data is a comment. A last frame without its blank line counts (vendors forget it): whether its
// payload is whole is for the reader to judge.
class SseFramer final : public Framer {
 public:
  void feed(std::string_view bytes) override { inner_.feed(bytes); }
  [[nodiscard]] Result<std::optional<Frame>> next() override;
  [[nodiscard]] Result<std::optional<Frame>> end() override;

 private:
  sse::Framer inner_;
};

}  // namespace sluice
