//! The OpenAPI documents, and the page to read them with.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::Servers;

fn documents() -> [Value; 2] {
    kindred_api::openapi().map(|document| serde_json::to_value(document).unwrap())
}

#[test]
fn the_documents_are_those_of_the_snapshots() {
    let [kpi, control] = documents();
    insta::assert_json_snapshot!("kpi", kpi);
    insta::assert_json_snapshot!("control", control);
}

#[tokio::test]
async fn each_server_serves_its_own_document() {
    let servers = Servers::start().await;
    let [kpi, control] = documents();
    assert_eq!(kpi["openapi"], "3.1.0");
    assert_eq!(servers.get("/openapi.json").await, kpi);
    assert_eq!(servers.answer(Method::GET, "/openapi.json", 200).await, control);
}

#[tokio::test]
async fn every_operation_of_the_documents_is_served() {
    let servers = Servers::start().await;
    for (document, is_kpi) in documents().iter().zip([true, false]) {
        for (path, item) in document["paths"].as_object().unwrap() {
            let path = path
                .replace("{job}", "daily")
                .replace("{id}", "0190b5a0-0000-7000-8000-000000000001");
            for method in item.as_object().unwrap().keys() {
                let method: Method = method.to_uppercase().parse().unwrap();
                let response = match is_kpi {
                    true => servers.kpi(method.clone(), &path).await,
                    false => servers.control(method.clone(), &format!("{path}?wait=0")).await,
                };
                let status = response.status().as_u16();
                let is_route = status != 405 && (status != 404 || path.contains("0190b5a0"));
                assert!(is_route, "{method} {path}: {status}");
            }
        }
    }
}

#[test]
fn every_field_and_parameter_says_what_it_is() {
    let mut silent = BTreeSet::new();
    for document in documents() {
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            for (field, property) in schema["properties"].as_object().into_iter().flatten() {
                let refers = ["$ref", "oneOf", "allOf"].iter().any(|key| property.get(key).is_some());
                if property.get("description").is_none() && !refers {
                    silent.insert(format!("{name}.{field}"));
                }
            }
        }
        for (path, item) in document["paths"].as_object().unwrap() {
            for operation in item.as_object().unwrap().values() {
                assert!(operation["summary"].is_string(), "{path}");
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    if parameter["description"].as_str().is_none_or(str::is_empty) {
                        silent.insert(format!("{path}?{}", parameter["name"]));
                    }
                }
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let servers = Servers::start().await;
    let page = servers.kpi(Method::GET, "/docs/").await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    let mut loaded = 0;
    for attribute in ["src=\"", "href=\""] {
        for address in page.split(attribute).skip(1) {
            let address = address.split('"').next().unwrap();
            assert!(!address.contains("//"), "{address}");
            let file = servers
                .kpi(Method::GET, &format!("/docs/{}", address.trim_start_matches("./")))
                .await;
            assert_eq!(file.status(), 200, "{address}");
            loaded += 1;
        }
    }
    assert!(loaded >= 4, "{page}");
    let script = servers
        .kpi(Method::GET, "/docs/swagger-initializer.js")
        .await
        .text()
        .await
        .unwrap();
    assert!(
        script.contains("/openapi.json") && !script.contains("https://"),
        "{script}"
    );
}
