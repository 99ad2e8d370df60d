// Package clixml writes results of commands in the XML that PowerShell serializes objects in,
// for clients that ask for it (row CK-334) and hand it to their deserializer.
//
// The format is that of section 2.2.5 of the PowerShell Remoting Protocol (MS-PSRP), version
// 1.1.0.1, in the little of it that results need: text, Booleans, numbers, dates, GUIDs,
// nothing, lists, and objects whose properties are notes of a PSCustomObject.
//
//	<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">
//	  <Obj RefId="0">
//	    <TN RefId="0"><T>System.Management.Automation.PSCustomObject</T><T>System.Object</T></TN>
//	    <MS><S N="Name">Contoso</S><B N="Enabled">true</B></MS>
//	  </Obj>
//	</Objs>
//
// It only writes: nothing here reads such XML from anybody.
package clixml
