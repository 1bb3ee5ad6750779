// Claude's stream as AWS's InvokeModel frames it: binary messages "chunk" that hold one event of this dialect each.
// What comes out are the dialect's own frames, ready to be forwarded. SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "dialects/aws_framer.h"

namespace sluice::anthropic {

class ChunkFramer final : public Framer {
 public:
  void feed(std::string_view bytes) override { inner_.feed(bytes); }
  [[nodiscard]] Result<std::optional<Frame>> next() override;
  [[nodiscard]] Result<std::optional<Frame>> end() override { return inner_.end(); }

 private:
  // The event `data_` as a frame.
  Frame spoken();
  AwsFramer inner_;
  std::string data_, type_, raw_;  // of the last frame
};

}  // namespace sluice::anthropic
