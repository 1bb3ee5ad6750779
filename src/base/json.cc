// Reading: the index of a document, its values, and the walk over top-level members.
// SPDX-License-Identifier: MIT
#include "base/json.h"

#include <emmintrin.h>
#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <charconv>
#include <cmath>

#include "base/json_scan.h"
#include "base/json_skip.h"

namespace sluice::json {
namespace {

std::unexpected<Failure> broken(std::size_t offset, std::string_view what) {
  return fail(Fault::bad_request,
              "This is not valid JSON: " + std::string(what) + " at byte " + std::to_string(offset) + ".");
}

Kind kind_of(char first) {
  switch (first) {
    case '{': return Kind::object;
    case '[': return Kind::array;
    case '"': return Kind::string;
    case 't':
    case 'f': return Kind::boolean;
    case 'n': return Kind::null;
    default: return Kind::number;
  }
}

// Moves over one scalar. False with scan.fault set.
inline bool scalar(Scan& scan, bool& escaped) {
  switch (scan.peek()) {
    case '"': return scan.string(escaped);
    case 't': return scan.word("true");
    case 'f': return scan.word("false");
    case 'n': return scan.word("null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return scan.number();
    default: return scan.broken(scan.done() ? "the text ends too early" : "a value is expected");
  }
}

// Moves over a string that ends within 16 bytes and holds no escapes: most names and words. False: it is another one,
// and nothing was moved.
inline bool short_string(Scan& scan) {
  const char* const p = scan.text.data() + scan.at + 1;
  if (scan.text.data() + scan.text.size() - p < 16) return false;
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i stops = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')),
                                     _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes));
  const auto quote = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'))));
  const unsigned before = quote ^ (quote - 1);  // up to the first quote
  if (quote == 0 || (static_cast<unsigned>(_mm_movemask_epi8(stops)) & before) != 0) return false;
  scan.at += static_cast<std::size_t>(std::countr_zero(quote)) + 2;
  return true;
}

// Moves over one value of any kind without recursion.
bool skip_value(Scan& scan) {
  [[clang::uninitialized]] char open[max_depth];
  int depth = 0;
  bool escaped = false;
  for (;;) {
    scan.space();
    const char c = scan.peek();
    if (c == '{' || c == '[') {
      if (depth >= max_depth) return scan.broken("nesting deeper than 128");
      open[depth++] = c;
      ++scan.at;
      scan.space();
      if (scan.peek() != (c == '{' ? '}' : ']')) {
        if (c == '[') continue;
        if (scan.peek() != '"') return scan.broken("a member name is expected");
        if (!scan.string(escaped)) return false;
        scan.space();
        if (scan.peek() != ':') return scan.broken("a colon is expected");
        ++scan.at;
        continue;
      }
    } else if (!scalar(scan, escaped)) {
      return false;
    }
    // A value is complete: close what closes, then stop or go on behind a comma.
    for (;;) {
      if (depth == 0) return true;
      scan.space();
      const bool object = open[depth - 1] == '{';
      if (scan.peek() == (object ? '}' : ']')) {
        ++scan.at;
        --depth;
        continue;
      }
      if (scan.peek() != ',') return scan.broken("a comma or a closing bracket is expected");
      ++scan.at;
      if (object) {
        scan.space();
        if (scan.peek() != '"') return scan.broken("a member name is expected");
        if (!scan.string(escaped)) return false;
        scan.space();
        if (scan.peek() != ':') return scan.broken("a colon is expected");
        ++scan.at;
      }
      break;
    }
  }
}

}  // namespace

Result<Value> Document::parse(std::string_view text, Utf8 utf8) {
  text_ = text;
  nodes_.clear();
  keys_.clear();
  if (text.size() >= 0xffffffffULL) return broken(0, "a text of 4 GiB or more");
  if (utf8 == Utf8::unchecked && !simdjson::validate_utf8(text.data(), text.size()))
    return broken(0, "text that is not UTF-8");
  nodes_.reserve(text.size() / 64 + 16);

  Scan scan{text};
  std::uint32_t open[max_depth];
  int depth = 0;
  const auto fault = [&] {
    nodes_.clear();
    return broken(scan.at, scan.fault);
  };
  const auto member_name = [&](Node& node) -> bool {
    scan.space();
    if (scan.peek() != '"') return scan.broken("a member name is expected");
    const std::size_t begin = scan.at + 1;
    bool escaped = false;
    if (!short_string(scan) && !scan.string(escaped)) return false;
    node.key_begin = static_cast<std::uint32_t>(begin);
    node.key_end = static_cast<std::uint32_t>(scan.at - 1);
    if (escaped) {
      keys_.push_back(std::make_unique<const std::string>(unescape(text.substr(begin, scan.at - 1 - begin))));
      node.key_escaped = true;
      node.key_begin = static_cast<std::uint32_t>(keys_.size() - 1);
    }
    scan.space();
    if (scan.peek() != ':') return scan.broken("a colon is expected");
    ++scan.at;
    return true;
  };

  Node pending;  // carries the key of the value that comes next
  for (;;) {
    scan.space();
    const char c = scan.peek();
    const auto index = static_cast<std::uint32_t>(nodes_.size());
    Node& node = nodes_.emplace_back(pending);
    pending = {};
    node.begin = static_cast<std::uint32_t>(scan.at);
    node.kind = kind_of(c);
    if (c == '{' || c == '[') {
      if (depth >= max_depth) {
        scan.fault = "nesting deeper than 128";
        return fault();
      }
      ++scan.at;
      scan.space();
      if (scan.peek() != (c == '{' ? '}' : ']')) {
        open[depth++] = index;
        if (c == '{' && !member_name(pending)) return fault();
        continue;
      }
      ++scan.at;
      node.end = static_cast<std::uint32_t>(scan.at);
      node.next = index + 1;
    } else {
      if ((c != '"' || !short_string(scan)) && !scalar(scan, node.escaped)) return fault();
      node.end = static_cast<std::uint32_t>(scan.at);
      node.next = index + 1;
    }
    for (;;) {
      if (depth == 0) {
        scan.space();
        if (!scan.done()) {
          scan.fault = "text behind the value";
          return fault();
        }
        return root();
      }
      Node& parent = nodes_.data()[open[depth - 1]];
      ++parent.size;
      scan.space();
      if (scan.peek() == (parent.kind == Kind::object ? '}' : ']')) {
        ++scan.at;
        parent.end = static_cast<std::uint32_t>(scan.at);
        parent.next = static_cast<std::uint32_t>(nodes_.size());
        --depth;
        continue;
      }
      if (scan.peek() != ',') {
        scan.fault = scan.done() ? "the text ends too early" : "a comma or a closing bracket is expected";
        return fault();
      }
      ++scan.at;
      if (parent.kind == Kind::object && !member_name(pending)) return fault();
      break;
    }
  }
}

Value Document::root() const {
  return nodes_.empty() ? Value() : Value(this, 0);
}

bool Value::is(Kind kind) const {
  return doc_ && doc_->nodes_[node_].kind == kind;
}

std::string_view Value::raw() const {
  if (!doc_) return {};
  const auto& node = doc_->nodes_[node_];
  return doc_->text_.substr(node.begin, node.end - node.begin);
}

std::size_t Value::offset() const {
  return doc_ ? doc_->nodes_[node_].begin : 0;
}

std::optional<bool> Value::boolean() const {
  if (!is(Kind::boolean)) return std::nullopt;
  return raw().front() == 't';
}

std::optional<std::int64_t> Value::integer() const {
  if (!is(Kind::number)) return std::nullopt;
  const std::string_view text = raw();
  std::int64_t whole = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (code == std::errc() && end == text.data() + text.size()) return whole;
  const auto value = number();
  if (!value || std::trunc(*value) != *value || std::abs(*value) >= 9.2e18) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

std::optional<double> Value::number() const {
  if (!is(Kind::number)) return std::nullopt;
  const std::string_view text = raw();
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc()) return std::nullopt;
  return value;
}

std::optional<std::string> Value::string() const {
  if (!is(Kind::string)) return std::nullopt;
  return text();
}

std::string Value::text() const {
  if (!is(Kind::string)) return {};
  const std::string_view inside = raw().substr(1, raw().size() - 2);
  return doc_->nodes_[node_].escaped ? unescape(inside) : std::string(inside);
}

std::string_view Value::view(std::string& scratch) const {
  if (!is(Kind::string)) return {};
  const std::string_view inside = raw().substr(1, raw().size() - 2);
  if (!doc_->nodes_[node_].escaped) return inside;
  scratch = unescape(inside);
  return scratch;
}

bool Value::equals(std::string_view expected) const {
  if (!is(Kind::string)) return false;
  std::string scratch;
  return view(scratch) == expected;
}

std::size_t Value::size() const {
  return doc_ ? doc_->nodes_[node_].size : 0;
}

Members Value::members() const {
  Members out;
  if (is(Kind::object)) {
    out.doc_ = doc_;
    out.first_ = node_ + 1;
    out.last_ = doc_->nodes_[node_].next;
  }
  return out;
}

Elements Value::elements() const {
  Elements out;
  if (is(Kind::array)) {
    out.doc_ = doc_;
    out.first_ = node_ + 1;
    out.last_ = doc_->nodes_[node_].next;
  }
  return out;
}

Value Value::operator[](std::string_view key) const {
  if (!is(Kind::object)) return {};
  const Document::Node* const nodes = doc_->nodes_.data();
  const std::uint32_t end = nodes[node_].next;
  for (std::uint32_t at = node_ + 1; at < end; at = nodes[at].next) {
    const Document::Node& node = nodes[at];
    if (node.key_escaped) {
      if (*doc_->keys_[node.key_begin] == key) return {doc_, at};
    } else if (std::string_view(doc_->text_.data() + node.key_begin, node.key_end - node.key_begin) == key) {
      return {doc_, at};
    }
  }
  return {};
}

void Value::pick_into(std::span<const std::string_view> keys, Value* found) const {
  if (!is(Kind::object)) return;
  const Document::Node* const nodes = doc_->nodes_.data();
  const std::string_view* const wanted = keys.data();
  const std::uint32_t end = nodes[node_].next;
  for (std::uint32_t at = node_ + 1; at < end; at = nodes[at].next) {
    const Document::Node& node = nodes[at];
    const std::string_view key =
        node.key_escaped ? std::string_view(*doc_->keys_[node.key_begin])
                         : std::string_view(doc_->text_.data() + node.key_begin, node.key_end - node.key_begin);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (wanted[i].size() != key.size() || wanted[i] != key) continue;
      if (!found[i]) found[i] = Value(doc_, at);
      break;
    }
  }
}

Value Value::at(std::size_t index) const {
  for (const Value value : elements()) {
    if (index-- == 0) return value;
  }
  return {};
}

Member Members::Iterator::operator*() const {
  const auto& n = doc->nodes_.data()[node];
  const std::string_view key = n.key_escaped ? std::string_view(*doc->keys_[n.key_begin])
                                             : doc->text_.substr(n.key_begin, n.key_end - n.key_begin);
  return {key, Value(doc, node)};
}
Members::Iterator& Members::Iterator::operator++() {
  node = doc->nodes_.data()[node].next;
  return *this;
}
Value Elements::Iterator::operator*() const {
  return {doc, node};
}
Elements::Iterator& Elements::Iterator::operator++() {
  node = doc->nodes_.data()[node].next;
  return *this;
}

Result<std::vector<TopMember>> scan_object(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) return broken(0, "text that is not UTF-8");
  Scan scan{text};
  std::vector<TopMember> out;
  out.reserve(12);
  const auto fault = [&] { return broken(scan.at, scan.fault); };
  scan.space();
  if (scan.peek() != '{') return broken(scan.at, "an object is expected");
  ++scan.at;
  scan.space();
  bool first = true;
  while (scan.peek() != '}') {
    if (!first) {
      if (scan.peek() != ',')
        return broken(scan.at, scan.done() ? "the text ends too early" : "a comma or a closing bracket is expected");
      ++scan.at;
      scan.space();
    }
    first = false;
    if (scan.peek() != '"') return broken(scan.at, "a member name is expected");
    const std::size_t begin = scan.at + 1;
    bool escaped = false;
    if (!scan.string(escaped)) return fault();
    const std::string_view key = text.substr(begin, scan.at - 1 - begin);
    scan.space();
    if (scan.peek() != ':') return broken(scan.at, "a colon is expected");
    ++scan.at;
    scan.space();
    const std::size_t value = scan.at;
    const Kind kind = kind_of(scan.peek());
    if (kind == Kind::object || kind == Kind::array) {
      const Skipped nested = skip_nested(text, value, 1);
      scan.at = nested.at;
      if (nested.fault) return broken(nested.at, nested.fault);
    } else if (bool inner = false; !scalar(scan, inner)) {
      return fault();
    }
    out.push_back({escaped ? unescape(key) : std::string(key), text.substr(value, scan.at - value), value, kind});
    scan.space();
  }
  ++scan.at;
  scan.space();
  if (!scan.done()) return broken(scan.at, "text behind the value");
  return out;
}

bool valid(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) return false;
  Scan scan{text};
  if (!skip_value(scan)) return false;
  scan.space();
  return scan.done();
}

}  // namespace sluice::json
