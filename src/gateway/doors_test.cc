// SPDX-License-Identifier: MIT
#include "gateway/doors.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dialects/registry.h"

namespace sluice {
namespace {

Result<Entry> enter_by(std::string_view method, std::string_view target) {
  http1::RequestHead head;
  head.method = method;
  head.target = target;
  return find_door(head);
}

std::string with_model(std::string path) {
  if (const auto at = path.find("{model}"); at != std::string::npos) path.replace(at, 7, "m");
  if (path.ends_with('*')) path.replace(path.size() - 1, 1, "/x");
  return path;
}

TEST(Doors, AreNotPublicButForAFew) {
  std::vector<std::pair<std::string, std::string>> all = {{"GET", "/metrics"}};
  for (const Dialect* dialect : dialects()) {
    for (const Door& door : dialect->doors()) all.emplace_back(door.method, with_model(std::string(door.path)));
  }
  for (const VendorOperation& row : vendor_operations()) {
    const std::string methods(row.methods);
    all.emplace_back(methods.substr(0, methods.find(',')), with_model(std::string(row.pattern)));
  }
  EXPECT_GT(all.size(), 80u);
  for (const auto& [method, path] : all) {
    const auto entry = enter_by(method, path);
    ASSERT_TRUE(entry) << method << ' ' << path;
    EXPECT_FALSE(is_public(entry->place)) << method << ' ' << path;
    EXPECT_TRUE(entry->dialect || path == "/metrics") << path;
  }
  for (const auto* path : {"/", "/health", "/health/live", "/health/ready", "/docs", "/openapi.json"})
    EXPECT_TRUE(is_public(enter_by("GET", path)->place)) << path;
}

TEST(Doors, AreTheSameForTheAbsoluteForm) {
  EXPECT_EQ(origin_form("/a?b"), "/a?b");
  EXPECT_EQ(origin_form("http://h:1/a?b"), "/a?b");
  EXPECT_EQ(origin_form("http://h"), "/");
  EXPECT_EQ(enter_by("GET", "http://h/v1/models")->pattern, "/v1/models");
}

}  // namespace
}  // namespace sluice
