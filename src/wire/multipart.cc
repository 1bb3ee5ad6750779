// SPDX-License-Identifier: MIT
#include "wire/multipart.h"

#include <algorithm>

#include "base/text.h"

namespace sluice {
namespace {

constexpr std::size_t most_boundary = 70;       // RFC 2046, 5.1.1
constexpr std::size_t most_fields = 16 * 1024;  // header fields of one part
constexpr std::size_t most_padding = 64;        // white space behind a delimiter

// The parameter of that name in "word; a=b; c="d"": the first one. Case of names aside.
std::optional<std::string> parameter(std::string_view field, std::string_view name) {
  std::size_t at = std::min(field.find(';'), field.size());
  while (at < field.size()) {
    ++at;  // the semicolon
    while (at < field.size() && (field[at] == ' ' || field[at] == '\t')) ++at;
    const std::size_t key_at = at;
    while (at < field.size() && field[at] != '=' && field[at] != ';') ++at;
    const std::string_view key = trim(field.substr(key_at, at - key_at));
    std::string value;
    if (at < field.size() && field[at] == '=') {
      ++at;
      while (at < field.size() && (field[at] == ' ' || field[at] == '\t')) ++at;
      if (at < field.size() && field[at] == '"') {
        ++at;
        while (at < field.size() && field[at] != '"') {
          // Browsers escape quotes as %22; a backslash before a quote or a backslash is the older form.
          if (field[at] == '\\' && at + 1 < field.size() && (field[at + 1] == '"' || field[at + 1] == '\\')) ++at;
          value += field[at++];
        }
        if (at == field.size()) return std::nullopt;  // never closed
        at = std::min(field.find(';', at), field.size());
      } else {
        const std::size_t value_at = at;
        at = std::min(field.find(';', at), field.size());
        value = trim(field.substr(value_at, at - value_at));
      }
    }
    if (iequals(key, name)) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  constexpr std::string_view form = "multipart/form-data";
  if (!iequals(trim(content_type.substr(0, content_type.find(';'))), form)) return std::nullopt;
  auto boundary = parameter(content_type, "boundary");
  const auto legal = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (!boundary || boundary->empty() || boundary->size() > most_boundary || !std::ranges::all_of(*boundary, legal))
    return std::nullopt;
  return boundary;
}

MultipartScan::MultipartScan(std::string_view boundary, std::string_view name)
    : delimiter_("\r\n--" + std::string(boundary)), name_(name) {}

void MultipartScan::feed(std::string_view bytes) {
  if (state_ == State::over || state_ == State::broken) return;
  held_ += bytes;
  while (step()) {
  }
  if (state_ == State::over || state_ == State::broken) held_ = {};
}

// One look at held_. False when more bytes are needed, or none any more.
bool MultipartScan::step() {
  const auto drop = [&](std::size_t size) {
    held_.erase(0, size);
    at_ += static_cast<std::int64_t>(size);
  };
  switch (state_) {
    case State::content: {
      const std::size_t end = held_.find(delimiter_);
      const bool whole = end != std::string::npos;
      // A delimiter may be cut by the end of what is there.
      const std::size_t size = whole ? end : held_.size() - std::min(held_.size(), delimiter_.size() - 1);
      if (!begun_ && (whole ? end != 0 : !delimiter_.starts_with(held_))) {
        state_ = State::broken;
        return false;
      }
      if (wanted_) {
        current_.append(held_, 0, size);
        if (current_.size() > most_value) {
          state_ = State::broken;
          return false;
        }
      }
      if (whole && wanted_) {
        if (found_++ == 0) {
          value_ = current_;
          value_at_ = static_cast<std::uint64_t>(current_at_);
        }
        wanted_ = false;
      }
      if (whole) {
        begun_ = true;
        state_ = State::delimited;
      }
      drop(whole ? end + delimiter_.size() : size);
      return whole;
    }
    case State::delimited: {
      if (held_.starts_with("--")) {
        state_ = State::over;
        return false;
      }
      if (held_ == "-") return false;
      const std::size_t end = std::min(held_.find_first_not_of(" \t"), held_.size());
      const std::string_view line_end = std::string_view(held_).substr(end, 2);
      if (end > most_padding || !std::string_view("\r\n").starts_with(line_end)) {
        state_ = State::broken;  // a line that only begins like the delimiter: readers differ over it
        return false;
      }
      if (line_end.size() < 2) return false;
      drop(end);  // the line end stays: a part without fields begins with an empty line
      state_ = State::fields;
      return true;
    }
    case State::fields: {
      const std::size_t end = held_.find("\r\n\r\n");
      if (std::min(end, held_.size()) > most_fields) {
        state_ = State::broken;
        return false;
      }
      if (end == std::string::npos) return false;
      read_fields(std::string_view(held_).substr(0, end));
      drop(end + 4);
      current_.clear();
      current_at_ = at_;
      state_ = State::content;
      return true;
    }
    case State::over:
    case State::broken: return false;
  }
  return false;
}

void MultipartScan::read_fields(std::string_view fields) {
  wanted_ = false;
  while (!fields.empty()) {
    fields.remove_prefix(std::min<std::size_t>(2, fields.size()));  // the line end before each field
    const std::size_t end = std::min(fields.find("\r\n"), fields.size());
    const std::string_view line = fields.substr(0, end);
    fields.remove_prefix(end);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !iequals(trim(line.substr(0, colon)), "content-disposition")) continue;
    const auto name = parameter(line.substr(colon + 1), "name");
    wanted_ = wanted_ || (name && *name == name_);
  }
}

}  // namespace sluice
