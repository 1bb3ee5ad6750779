// What an answer that passes untouched tells on its way: usage, units, the model that answered, and ids that lead back
// to its backend. JSON and server-sent events of any size, in bounded memory; anything else tells nothing.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_watch.h"
#include "model/dialect_id.h"
#include "model/record.h"
#include "wire/decoder.h"

namespace sluice {

class Tally {
 public:
  // `operation` is the vendor's ("images.edits"), `coding` the answer's Content-Encoding.
  Tally(DialectId dialect, std::string_view operation, std::string_view content_type, std::string_view coding);

  void feed(std::string_view bytes);

  [[nodiscard]] std::optional<Usage> usage() const;
  [[nodiscard]] Units units() const;
  [[nodiscard]] std::string model() const;
  // Ids as they stand in a later path: the last part of a name like "files/abc".
  [[nodiscard]] std::vector<std::string> ids() const;

 private:
  void read(std::string_view bytes);
  void read_events(std::string_view bytes);
  void end_event();
  enum class Kind : std::uint8_t { other, json, events };
  enum class Line : std::uint8_t { begins, data, skipped };
  DialectId dialect_;
  std::string_view operation_;
  Kind kind_ = Kind::other;
  Line line_ = Line::begins;
  std::string prefix_;  // of an event's line, until it is known which field it is
  std::unique_ptr<Decoder> decoder_;
  std::string decoded_;
  json::Watch watch_;
  std::int64_t images_ = -1;  // that events told of
};

// A usage object of an operation beside the conversation, or of one: tokens in and out by the names that vendors use.
// nullopt when it tells no tokens.
[[nodiscard]] std::optional<Usage> read_operation_usage(DialectId dialect, std::string_view raw);

}  // namespace sluice
