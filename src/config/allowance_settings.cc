// SPDX-License-Identifier: MIT
#include "config/allowance_settings.h"

#include <algorithm>

#include "base/ip.h"
#include "base/text.h"
#include "dialects/registry.h"

namespace sluice::config {
namespace {

using YAML::Node;
using Path = std::string_view;

constexpr std::size_t most_text = 256;
constexpr std::size_t most_entries = 256;

bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// A list whose entries `good` likes; an empty one would allow nothing, and "all" is said by leaving it out.
template <class Good>
void read_list(Reading& in, const Node& node, Path path, std::vector<std::string>& out, const Good& good) {
  if (!node.IsSequence()) return in.fault(node.Mark(), quoted_name(path) + " must be a list");
  if (node.size() == 0) {
    return in.fault(node.Mark(), quoted_name(path) + " is empty, which would allow nothing",
                    "leave it out to allow everything");
  }
  if (node.size() > most_entries)
    return in.fault(node.Mark(), quoted_name(path) + " has more than " + std::to_string(most_entries) + " entries");
  for (const auto& item : node) {
    std::string one;
    if (!in.text(item, path, one)) continue;
    if (one.empty() || one.size() > most_text || !is_plain(one)) {
      in.fault(item.Mark(), quoted_name(path) + " has an entry that is empty, too long or no plain text");
    } else if (std::ranges::find(out, one) != out.end()) {
      in.fault(item.Mark(), quoted_name(path) + " names " + quoted_name(item.Scalar()) + " twice",
               "keep one of the two");
    } else if (good(item, one)) {
      out.push_back(std::move(one));
    }
  }
}

bool any(const Node& /*item*/, std::string& /*one*/) {
  return true;
}

}  // namespace

void read_allowed_models(Reading& in, const Node& node, Path path, Allowance& out) {
  read_list(in, node, path, out.models, any);
}

void read_allowed_backends(Reading& in, const Node& node, Path path, Allowance& out) {
  read_list(in, node, path, out.backends, any);
}

void read_allowed_dialects(Reading& in, const Node& node, Path path, Allowance& out) {
  std::vector<std::string_view> known;
  for (const Dialect* dialect : dialects()) known.push_back(dialect->name());
  read_list(in, node, path, out.dialects, [&](const Node& item, std::string& one) {
    if (std::ranges::find(known, one) != known.end()) return true;
    const auto near = closest(one, known);
    std::string hint = "one of:";
    for (const std::string_view dialect : known) hint += " " + std::string(dialect);
    if (!near.empty()) hint = "did you mean " + quoted_name(near.front()) + "?";
    in.fault(item.Mark(), quoted_name(path) + " names no dialect: " + quoted_name(item.Scalar()), std::move(hint));
    return false;
  });
}

void read_networks(Reading& in, const Node& node, Path path, Allowance& out) {
  read_list(in, node, path, out.from, [&](const Node& item, std::string& one) {
    const auto network = parse_network(one);
    if (!network) {
      in.fault(item.Mark(), quoted_name(path) + " has no address or network: " + quoted_name(item.Scalar()),
               "for example 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32");
      return false;
    }
    const bool whole = one.find('/') != std::string::npos;
    if (whole && network->first != parse_ip(one.substr(0, one.find('/')))) {
      in.fault(item.Mark(),
               quoted_name(path) + " has a network with bits behind its prefix: " + quoted_name(item.Scalar()),
               "did you mean " + quoted_name(write_network(*network)) + "?");
      return false;
    }
    return true;
  });
}

void read_expiry(Reading& in, const Node& node, Path path, Allowance& out) {
  std::string text;
  if (!in.text(node, path, text)) return;
  const auto ms = parse_rfc3339(text);
  if (ms && *ms > 0) {
    out.expires_ms = *ms;
  } else {
    in.fault(node.Mark(), quoted_name(path) + " must be a time with its zone, not " + quoted_name(node.Scalar()),
             "for example 2027-01-31T00:00:00Z");
  }
}

void read_tags(Reading& in, const Node& node, Path path, Allowance& out) {
  read_list(in, node, path, out.tags, [&](const Node& item, std::string& one) {
    if (one.size() <= 64 && one.find(',') == std::string::npos && trim(one) == one) return true;
    in.fault(item.Mark(), quoted_name(path) + " has a tag that is longer than 64 bytes or holds a comma");
    return false;
  });
}

void read_metadata(Reading& in, const Node& node, Path path, Allowance& out) {
  if (!node.IsMap()) {
    return in.fault(node.Mark(), quoted_name(path) + " must be a map of text",
                    "for example metadata: {cost_center: \"4711\"}");
  }
  if (node.size() > 64) return in.fault(node.Mark(), quoted_name(path) + " has more than 64 entries");
  for (const auto& pair : node) {
    const std::string key = pair.first.Scalar();
    std::string value;
    if (key.empty() || key.size() > most_text || !is_plain(key)) {
      in.fault(pair.first.Mark(), quoted_name(path) + " has a name that is empty, too long or no plain text");
    } else if (std::ranges::find(out.metadata, key, &std::pair<std::string, std::string>::first) !=
               out.metadata.end()) {
      in.fault(pair.first.Mark(), quoted_name(path) + " names " + quoted_name(key) + " twice", "keep one of the two");
    } else if (in.text(pair.second, path, value)) {
      if (value.size() > 1024) {
        in.fault(pair.second.Mark(), quoted_name(path) + " has a text longer than 1024 bytes");
      } else {
        out.metadata.emplace_back(key, std::move(value));
      }
    }
  }
}

}  // namespace sluice::config
