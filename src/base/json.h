// JSON as this house needs it: read without losing the source text, write in order, edit without re-printing.
// A Document is an index of nodes over text that somebody else owns; every node knows its exact source span, member
// order and duplicates are kept, numbers stay text. Strict RFC 8259, UTF-8 checked, nesting at most max_depth.
// Not here: meaning. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"

namespace sluice::json {

inline constexpr int max_depth = 128;

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

class Document;
class Members;
class Elements;

// A view of one value of a Document (16 bytes, copied freely). Valid while the Document and its text live. A
// default-made or not-found Value is "absent": false as a bool, of no kind, raw() empty; every getter on it (and on a
// value of another kind) answers nullopt / empty, never fails.
// Whether somebody has made sure already that a text is UTF-8.
enum class Utf8 : bool { unchecked, checked };

class Value {
 public:
  Value() = default;

  explicit operator bool() const { return doc_ != nullptr; }
  [[nodiscard]] bool is(Kind kind) const;
  [[nodiscard]] bool is_null() const { return is(Kind::null); }
  [[nodiscard]] bool is_string() const { return is(Kind::string); }
  [[nodiscard]] bool is_number() const { return is(Kind::number); }
  [[nodiscard]] bool is_object() const { return is(Kind::object); }
  [[nodiscard]] bool is_array() const { return is(Kind::array); }
  // Exact source text of the value, quotes and brackets included.
  [[nodiscard]] std::string_view raw() const;
  // Byte offset of raw() in the document's text.
  [[nodiscard]] std::size_t offset() const;

  [[nodiscard]] std::optional<bool> boolean() const;
  [[nodiscard]] std::optional<std::int64_t> integer() const;  // numbers that are whole and fit ("3", "3.0", "3e0")
  [[nodiscard]] std::optional<double> number() const;
  // Decoded text of a string; nullopt when not a string.
  [[nodiscard]] std::optional<std::string> string() const;
  // The same with "" when not a string: for members whose kind was checked or does not matter.
  [[nodiscard]] std::string text() const;
  // True if this is a string whose decoded text equals `expected`. No allocation.
  [[nodiscard]] bool equals(std::string_view expected) const;
  // Decoded text without a copy when the source has no escapes, else decoded into `scratch`.
  [[nodiscard]] std::string_view view(std::string& scratch) const;

  // Number of members or elements (0 for scalars).
  [[nodiscard]] std::size_t size() const;
  // for (auto [key, value] : object.members()): in source order, duplicates included; empty for non-objects. Keys are
  // decoded views that live as long as the Document.
  [[nodiscard]] Members members() const;
  // for (auto value : array.elements())
  [[nodiscard]] Elements elements() const;
  // First member of that name, or absent. Linear: objects on the wire are small.
  [[nodiscard]] Value operator[](std::string_view key) const;
  // The same for several names in one walk: const auto [id, name] = value.pick("id", "name");
  template <class... Keys>
  [[nodiscard]] std::array<Value, sizeof...(Keys)> pick(const Keys&... keys) const {
    const std::string_view wanted[] = {keys...};
    std::array<Value, sizeof...(Keys)> found;
    pick_into(wanted, found.data());
    return found;
  }
  // Element by position, or absent.
  [[nodiscard]] Value at(std::size_t index) const;

 private:
  friend class Document;
  friend class Members;
  friend class Elements;
  Value(const Document* doc, std::uint32_t node) : doc_(doc), node_(node) {}
  void pick_into(std::span<const std::string_view> keys, Value* found) const;
  const Document* doc_ = nullptr;
  std::uint32_t node_ = 0;
};

struct Member {
  std::string_view key;
  Value value;
};

// Owns the node index, not the text. Not movable once Values are out: keep it where it was parsed (Values point to it).
class Document {
 public:
  Document() = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // Reads `text`, which must outlive the Document. Error: Fault::bad_request with a message that names the byte offset
  // and what was expected. May be called again: the memory is reused.
  [[nodiscard]] Result<Value> parse(std::string_view text, Utf8 utf8 = Utf8::unchecked);
  [[nodiscard]] Value root() const;

 private:
  friend class Value;
  friend class Members;
  friend class Elements;
  struct Node {
    std::uint32_t begin = 0, end = 0;          // source span
    std::uint32_t next = 0;                    // node after this value's subtree
    std::uint32_t size = 0;                    // members or elements
    std::uint32_t key_begin = 0, key_end = 0;  // span of the key inside its quotes, for members
    Kind kind = Kind::null;
    bool escaped = false;      // the string holds escapes
    bool key_escaped = false;  // key_begin is then an index into keys_
  };
  std::string_view text_;
  std::vector<Node> nodes_;
  std::vector<std::unique_ptr<const std::string>> keys_;  // decoded keys that had escapes; views point to them
};

// One top-level member as the scan saw it: spans of the text, nothing decoded (keys with escapes are decoded).
struct TopMember {
  std::string key;
  std::string_view raw;    // the value's source text
  std::size_t offset = 0;  // of raw in the text
  Kind kind = Kind::null;
};

// Walks every top-level member. Keys and scalars are checked as by Document; nested values for strings that close and
// hold no control character, brackets, depth; all for UTF-8. Errors: Fault::bad_request, also when not one object.
[[nodiscard]] Result<std::vector<TopMember>> scan_object(std::string_view text);

// Decodes the inside of a JSON string (without quotes; must be valid JSON) and the reverse with quotes.
[[nodiscard]] std::string unescape(std::string_view inside);
// Appends `text` as a JSON string with quotes. Invalid UTF-8 becomes U+FFFD; control characters are escaped.
void append_quoted(std::string& out, std::string_view text);
[[nodiscard]] std::string quote(std::string_view text);

// Same JSON value: objects compared without regard to member order, numbers by value, strings decoded.
[[nodiscard]] bool same(std::string_view a, std::string_view b);
// First difference as "pointer: a-text != b-text" for test messages; empty when same.
[[nodiscard]] std::string difference(std::string_view a, std::string_view b);
// True if the whole text is one valid JSON value.
[[nodiscard]] bool valid(std::string_view text);
// The text without insignificant white space (the text itself must be valid JSON).
[[nodiscard]] std::string compact(std::string_view text);

// A member's name as it is written. A literal is looked at when it is compiled: most names cost nothing to check.
class Name {
 public:
  template <std::size_t size>
  consteval Name(const char (&literal)[size]) : text_(literal, size - 1), plain_(true) {
    for (const char c : text_) plain_ = plain_ && c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  }
  template <class T>
    requires std::convertible_to<const T&, std::string_view> && (!std::is_array_v<T>)
  Name(const T& text) : text_(text) {}
  [[nodiscard]] std::string_view text() const { return text_; }
  // Known to need no escapes.
  [[nodiscard]] bool plain() const { return plain_; }

 private:
  std::string_view text_;
  bool plain_ = false;
};

// Writes JSON in the order of the calls; commas are its own business. The caller balances begin/end (asserted).
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(const Name& name);
  Writer& string(std::string_view text);
  Writer& raw(std::string_view json);  // one valid JSON value, copied as it stands
  Writer& integer(std::int64_t value);
  Writer& number(double value);
  Writer& boolean(bool value);
  Writer& null();
  // key(name) and the value in one call.
  Writer& member(const Name& name, std::string_view text) { return key(name).string(text); }
  Writer& member_raw(const Name& name, std::string_view json) { return key(name).raw(json); }
  Writer& member(const Name& name, std::int64_t value) { return key(name).integer(value); }
  Writer& member(const Name& name, const char* text) { return key(name).string(text); }
  Writer& member_bool(const Name& name, bool value) { return key(name).boolean(value); }

  // A place to go back to: what was written since is gone.
  struct Mark {
    std::size_t size;
    bool need_comma;
  };
  [[nodiscard]] Mark mark() const { return {out_.size(), need_comma_}; }
  void rewind(const Mark& mark) {
    out_.resize(mark.size);
    need_comma_ = mark.need_comma;
  }
  // True when nothing was written into the object or array that was begun last.
  [[nodiscard]] bool empty() const { return !need_comma_ && (out_.ends_with('[') || out_.ends_with('{')); }

 private:
  void separate();
  std::string& out_;
  bool need_comma_ = false;
};

// One change to a JSON text by RFC 6901 pointer. The small language that quirks, model overrides and extra bodies
// share.
struct Edit {
  enum class Op : std::uint8_t { set, drop, rename };
  Op op = Op::set;
  std::string pointer;  // "/model", "/stream_options/include_usage"
  std::string value;    // set: JSON text; rename: the new member name; drop: unused
};

// Applies edits one after the other; every byte that no edit touches stays as it was. set makes missing parent objects
// and replaces what stands there; drop and rename of what is not there change nothing. Errors: Fault::bad_request when
// the text is not JSON, or a parent on the way is not an object or array.
[[nodiscard]] Result<std::string> apply(std::string_view text, std::span<const Edit> edits);

// RFC 6901: "~" and "/" escaped.
[[nodiscard]] std::string pointer_token(std::string_view token);

class Members {
 public:
  struct Iterator {
    const Document* doc;
    std::uint32_t node;
    Member operator*() const;
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return node != other.node; }
  };
  [[nodiscard]] Iterator begin() const { return {doc_, first_}; }
  [[nodiscard]] Iterator end() const { return {doc_, last_}; }

 private:
  friend class Value;
  const Document* doc_ = nullptr;
  std::uint32_t first_ = 0, last_ = 0;
};

class Elements {
 public:
  struct Iterator {
    const Document* doc;
    std::uint32_t node;
    Value operator*() const;
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return node != other.node; }
  };
  [[nodiscard]] Iterator begin() const { return {doc_, first_}; }
  [[nodiscard]] Iterator end() const { return {doc_, last_}; }

 private:
  friend class Value;
  const Document* doc_ = nullptr;
  std::uint32_t first_ = 0, last_ = 0;
};

}  // namespace sluice::json
