// The framer of every dialect that streams as application/vnd.amazon.eventstream. SPDX-License-Identifier: MIT
#pragma once

#include "dialects/dialect.h"
#include "wire/aws_eventstream.h"

namespace sluice {

class AwsFramer final : public Framer {
 public:
  void feed(std::string_view bytes) override { inner_.feed(bytes); }
  [[nodiscard]] Result<std::optional<Frame>> next() override;
  [[nodiscard]] Result<std::optional<Frame>> end() override;

 private:
  aws_eventstream::Framer inner_;
};

}  // namespace sluice
