// SPDX-License-Identifier: MIT
#include "dialects/gemini/partial_args.h"

#include <algorithm>

#include "dialects/gemini/names.h"

namespace sluice::gemini {
namespace {

constexpr int deepest = 64;
constexpr std::size_t most_elements = 100000;

}  // namespace

PartialArgs::Node& PartialArgs::member(Node& object, std::string_view name) {
  const auto found = std::ranges::find(object.names, name);
  if (found != object.names.end()) return object.elements[static_cast<std::size_t>(found - object.names.begin())];
  object.names.emplace_back(name);
  return object.elements.emplace_back();
}

// "$.a.b[0]['c d']"; "[]" behind a path is an array without elements.
PartialArgs::Node* PartialArgs::place(std::string_view path) {
  if (!path.starts_with('$')) return nullptr;
  path.remove_prefix(1);
  Node* at = &root_;
  for (int depth = 0; !path.empty(); ++depth) {
    if (depth > deepest) return nullptr;
    std::string name;
    if (path.starts_with("[]")) {
      if (at->kind != Node::Kind::none && at->kind != Node::Kind::array) return nullptr;
      at->kind = Node::Kind::array;
      path.remove_prefix(2);
      if (!path.empty()) return nullptr;
      return at;
    }
    if (path[0] == '[' && path.size() > 1 && path[1] >= '0' && path[1] <= '9') {
      const auto end = path.find(']');
      if (end == std::string_view::npos || end > 8) return nullptr;
      std::size_t index = 0;
      for (const char c : path.substr(1, end - 1)) {
        if (c < '0' || c > '9') return nullptr;
        index = index * 10 + static_cast<std::size_t>(c - '0');
      }
      path.remove_prefix(end + 1);
      if (at->kind == Node::Kind::none) at->kind = Node::Kind::array;
      // Elements come in order; a gap is no array.
      if (at->kind != Node::Kind::array || index > at->elements.size() || index >= most_elements) return nullptr;
      if (index == at->elements.size()) at->elements.emplace_back();
      at = &at->elements[index];
      continue;
    }
    if (path[0] == '.') {
      const auto end = path.find_first_of(".[", 1);
      name = path.substr(1, end == std::string_view::npos ? end : end - 1);
      path.remove_prefix(std::min(end, path.size()));
    } else if (path.starts_with("['") || path.starts_with("[\"")) {
      const auto end = path.find(path[1] == '\'' ? "']" : "\"]", 2);
      if (end == std::string_view::npos) return nullptr;
      name = path.substr(2, end - 2);
      path.remove_prefix(end + 2);
    } else {
      return nullptr;
    }
    if (at->kind == Node::Kind::none) at->kind = Node::Kind::object;
    if (at->kind != Node::Kind::object) return nullptr;
    at = &member(*at, name);
  }
  return at;
}

bool PartialArgs::add(json::Value pieces) {
  for (const json::Value piece : pieces.elements()) {
    Node* node = place(field(piece, "jsonPath").text());
    if (node == nullptr || node == &root_) return false;
    if (const json::Value text = field(piece, "stringValue"); text.is_string()) {
      if (node->kind != Node::Kind::none && node->kind != Node::Kind::string) return false;
      node->kind = Node::Kind::string;
      node->value += text.text();
      continue;
    }
    json::Value scalar = field(piece, "numberValue");
    if (!scalar) scalar = field(piece, "boolValue");
    const bool null = std::ranges::any_of(std::vector<std::string_view>{"nullValue", "null_value"},
                                          [&](std::string_view key) { return static_cast<bool>(piece[key]); });
    if (!scalar && !null) continue;  // an empty array or object
    if (node->kind != Node::Kind::none && node->kind != Node::Kind::scalar) return false;
    node->kind = Node::Kind::scalar;
    node->value = scalar ? std::string(scalar.raw()) : "null";
  }
  return true;
}

void PartialArgs::add_whole(json::Value args) {
  for (const auto [key, value] : args.members()) {
    Node& node = member(root_, key);
    node = Node{.kind = Node::Kind::scalar, .value = std::string(value.raw())};
  }
}

void PartialArgs::write(json::Writer& out, const Node& node) {
  switch (node.kind) {
    case Node::Kind::none: out.begin_object().end_object(); return;
    case Node::Kind::scalar: out.raw(node.value); return;
    case Node::Kind::string: out.string(node.value); return;
    case Node::Kind::object:
      out.begin_object();
      for (std::size_t i = 0; i < node.elements.size(); ++i) {
        out.key(node.names[i]);
        write(out, node.elements[i]);
      }
      out.end_object();
      return;
    case Node::Kind::array:
      out.begin_array();
      for (const Node& inner : node.elements) write(out, inner);
      out.end_array();
      return;
  }
}

std::string PartialArgs::text() const {
  std::string out;
  json::Writer w(out);
  write(w, root_);
  return out;
}

}  // namespace sluice::gemini
